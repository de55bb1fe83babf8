// SQLite's destructor constants are casts, which Swift does not import.
#pragma once
#include <sqlite3.h>

static inline sqlite3_destructor_type culvert_sqlite_transient(void) { return SQLITE_TRANSIENT; }
