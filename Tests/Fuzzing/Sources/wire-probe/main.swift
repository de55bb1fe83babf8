import Foundation
import TunnelWire

// Reads messages from standard input, each behind its kind (one byte: Q for requests, S for a response to GET) and its length
// (four bytes, big-endian), and writes one JSON line for each: {"heads":[…],"bodies":["hex"],"ends":n,"error":"…"}.

while let kind = readExactly(1), let prefix = readExactly(4) {
    let length = prefix.reduce(0) { $0 << 8 | Int($1) }
    guard let message = readExactly(length) else { break }
    let verdict = kind[0] == UInt8(ascii: "Q") ? ofRequests(message) : ofResponse(message)
    FileHandle.standardOutput.write(Data(verdict.json))
}

func readExactly(_ count: Int) -> [UInt8]? {
    if count == 0 { return [] }
    guard let data = try? FileHandle.standardInput.read(upToCount: count), data.count == count else { return nil }
    return Array(data)
}
