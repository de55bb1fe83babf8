internal import TunnelDomain

/// How much of the memory for request bodies is taken, in all and by whom.
struct BodyBudget {
    let byteCountMax: Int
    /// The most bytes of one address group.
    let shareMax: Int
    private(set) var byteCount = 0
    private var shares: [AddressGroup: Int] = [:]

    init(byteCountMax: Int, shareMax: Int) {
        self.byteCountMax = byteCountMax
        self.shareMax = shareMax
    }

    /// Takes so many bytes for the sender, unless all of them or its share would be too much.
    mutating func take(_ count: Int, from sender: AddressGroup) -> Bool {
        let share = shares[sender, default: 0] + count
        guard byteCount + count <= byteCountMax, share <= shareMax else { return false }
        byteCount += count
        shares[sender] = share
        return true
    }

    /// Gives bytes back that were taken before.
    mutating func release(_ count: Int, of sender: AddressGroup) {
        guard count > 0, let share = shares[sender] else { return }
        byteCount -= count
        shares[sender] = share > count ? share - count : nil
    }
}
