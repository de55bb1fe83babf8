/// Whether two byte arrays are equal, in a time that depends on their lengths alone.
///
/// Every byte is looked at whatever the earlier ones were, so that an attacker learns nothing from how long an answer takes.
/// Different lengths are told at once: the length of a hash is no secret.
public func constantTimeEquals(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    guard left.count == right.count else { return false }
    var difference: UInt8 = 0
    for index in left.indices { difference |= left[index] ^ right[index] }
    return difference == 0
}
