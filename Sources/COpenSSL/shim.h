// OpenSSL's macros as functions, and nothing else.
#pragma once
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

static inline int culvert_SSL_CTX_set_min_proto_version(SSL_CTX *c, int v) { return SSL_CTX_set_min_proto_version(c, v); }
static inline long culvert_SSL_CTX_set_mode(SSL_CTX *c, long m) { return SSL_CTX_set_mode(c, m); }
static inline long culvert_SSL_CTX_set_session_cache_mode(SSL_CTX *c, long m) { return SSL_CTX_set_session_cache_mode(c, m); }
static inline int culvert_SSL_CTX_set1_groups_list(SSL_CTX *c, const char *l) { return SSL_CTX_set1_groups_list(c, (char *)l); }
static inline void culvert_SSL_CTX_set_read_ahead(SSL_CTX *c, int on) { SSL_CTX_set_read_ahead(c, on); }
static inline long culvert_SSL_CTX_set_tlsext_servername_callback(SSL_CTX *c, int (*f)(SSL *, int *, void *)) {
    return SSL_CTX_set_tlsext_servername_callback(c, f);
}
static inline long culvert_SSL_CTX_set_tlsext_servername_arg(SSL_CTX *c, void *a) { return SSL_CTX_set_tlsext_servername_arg(c, a); }
static inline int culvert_SSL_set_tlsext_host_name(SSL *s, const char *n) { return (int)SSL_set_tlsext_host_name(s, n); }
static inline void culvert_BIO_clear_retry_flags(BIO *b) { BIO_clear_retry_flags(b); }
static inline void culvert_BIO_set_retry_read(BIO *b) { BIO_set_retry_read(b); }
static inline void culvert_BIO_set_retry_write(BIO *b) { BIO_set_retry_write(b); }
static inline long culvert_SSL_CTX_add_extra_chain_cert(SSL_CTX *c, X509 *x) { return SSL_CTX_add_extra_chain_cert(c, x); }
static inline long culvert_SSL_CTX_add1_chain_cert(SSL_CTX *c, X509 *x) { return SSL_CTX_add1_chain_cert(c, x); }
static inline unsigned long culvert_ERR_get_error(void) { return ERR_get_error(); }
static inline EVP_PKEY *culvert_EVP_EC_gen(const char *curve) { return EVP_EC_gen(curve); }
static inline EVP_PKEY *culvert_EVP_RSA_gen(unsigned int bits) { return EVP_RSA_gen(bits); }

static const long SSL_MODE_FLAGS = SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS;
static const uint64_t SSL_OP_NO_COMPRESSION_FLAG = SSL_OP_NO_COMPRESSION;
static const uint64_t SSL_OP_NO_RENEGOTIATION_FLAG = SSL_OP_NO_RENEGOTIATION;
static const uint64_t SSL_OP_IGNORE_UNEXPECTED_EOF_FLAG = SSL_OP_IGNORE_UNEXPECTED_EOF;
