extension Schema {
    /// Keys that are narrowed: what they may do and from where, as words between spaces; null for keys that are not.
    ///
    /// A list that is there is never empty: an empty one could be read as everything and as nothing.
    static let third = """
        ALTER TABLE api_keys ADD COLUMN scopes TEXT CHECK (scopes <> '');
        ALTER TABLE api_keys ADD COLUMN allowed_ip_ranges TEXT CHECK (allowed_ip_ranges <> '');

        """
}
