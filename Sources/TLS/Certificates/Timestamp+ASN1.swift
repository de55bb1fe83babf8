internal import COpenSSL
internal import TunnelDomain

extension Timestamp {
    /// The moment that an ASN.1 time names, to the second.
    init(asn1 time: UnsafePointer<ASN1_TIME>?) throws(OpenSSLFailure) {
        let time = try checked("find a time", time)
        let epoch = try checked("make a time", ASN1_TIME_set(nil, 0))
        defer { ASN1_TIME_free(epoch) }
        var days: Int32 = 0
        var seconds: Int32 = 0
        try check("read a time", ASN1_TIME_diff(&days, &seconds, epoch, time))
        self.init(secondsSinceEpoch: Int64(days) * 86_400 + Int64(seconds))
    }
}
