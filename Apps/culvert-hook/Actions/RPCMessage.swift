import FileStorage
import TunnelDomain
import TunnelWire

/// An event as a call of JSON-RPC 2.0 on one line, and what its answer comes to.
enum RPCMessage {
    /// The line that tells of the event; without an id it is a notification, which nobody answers.
    static func line(for job: HookJob, method: String, id: Int?) -> [UInt8] {
        let payload = (try? JSONValue(parsing: job.event.body)) ?? .string(String(decoding: job.event.body, as: UTF8.self))
        var members = [JSONMember("jsonrpc", .string("2.0")), JSONMember("method", .string(method))]
        if let id { members.append(JSONMember("id", .integer(id))) }
        members.append(
            JSONMember(
                "params",
                .members([
                    "route": .string(job.route.name), "event": .integer(job.event.id), "run": .integer(job.runID),
                    "attempt": .integer(job.attempt), "delivery": .optional(job.event.deliveryID), "payload": payload,
                ])))
        return JSONValue.object(members).serialized + [UInt8(ascii: "\n")]
    }

    /// An answer with the number of its call, which is nil where the other end could not tell; nil for what is no answer, such
    /// as a log line.
    static func answer(in line: [UInt8]) -> (id: Int?, outcome: ActionOutcome)? {
        guard let value = try? JSONValue(parsing: line), let id = value["id"] else { return nil }
        let error = value["error"]
        switch id {
        case .number(let digits):
            guard let number = Int(digits) else { return nil }
            return (number, outcome(error: error, result: value["result"]))
        case .null: return error.map { (nil, outcome(error: $0, result: nil)) }
        case .string, .bool, .array, .object: return nil
        }
    }

    private static func outcome(error: JSONValue?, result: JSONValue?) -> ActionOutcome {
        guard let error else {
            let bytes = (result ?? .null).serialized
            return ActionOutcome(verdict: .success, detail: "answered", output: bytes, contentType: "application/json")
        }
        let text = error["message"]?.stringValue ?? "no message"
        // Invalid request, method or parameters (JSON-RPC 2.0 §5.1) will be as invalid the next time.
        let isFinal = error["code"].map { ["-32600", "-32601", "-32602"].contains($0.plainText) } ?? false
        return ActionOutcome(
            verdict: isFinal ? .finalFailure : .failure, detail: "error: \(text.prefix(200))", output: error.serialized,
            contentType: "application/json")
    }
}
