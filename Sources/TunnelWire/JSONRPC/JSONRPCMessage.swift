/// One message of JSON-RPC 2.0.
package enum JSONRPCMessage: Sendable, Hashable {
    /// Wants an answer.
    case request(id: JSONRPCID, method: String, params: JSONRPCParams)
    /// Wants none.
    case notification(method: String, params: JSONRPCParams)
    case response(id: JSONRPCID, Result<JSONValue, JSONRPCError>)
}

/// The arguments of a call (JSON-RPC 2.0 section 4.2).
package enum JSONRPCParams: Sendable, Hashable {
    case none
    case named([JSONMember])
    case positional([JSONValue])

    /// The named argument; nil when there is none, or when they come by position.
    package subscript(name: String) -> JSONValue? {
        guard case .named(let members) = self else { return nil }
        return JSONValue.object(members)[name]
    }

    package var json: JSONValue? {
        switch self {
        case .none: nil
        case .named(let members): .object(members)
        case .positional(let values): .array(values)
        }
    }
}

/// A JSON value that is no message: what is wrong with it, and whom to tell.
package struct JSONRPCRefusal: Error, Sendable, Hashable {
    /// Null when the value has no usable id.
    package var id: JSONRPCID
    package var error: JSONRPCError

    package init(id: JSONRPCID, error: JSONRPCError) {
        self.id = id
        self.error = error
    }
}

/// What one JSON text brings: a message, or several in a batch (JSON-RPC 2.0 section 6).
package enum JSONRPCInput: Sendable, Hashable {
    case single(Result<JSONRPCMessage, JSONRPCRefusal>)
    /// At least one.
    case batch([Result<JSONRPCMessage, JSONRPCRefusal>])
}

// MARK: - Reading

extension JSONRPCInput {
    /// Takes a JSON value for what it is; a batch of more than `batchCountMax` messages is refused as a whole.
    package init(_ value: JSONValue, batchCountMax: Int) {
        guard case .array(let elements) = value else {
            self = .single(Result { () throws(JSONRPCRefusal) in try JSONRPCMessage(value) })
            return
        }
        guard !elements.isEmpty else {
            self = .single(.failure(JSONRPCRefusal(id: .null, error: .invalidRequest("a batch holds at least one message"))))
            return
        }
        guard elements.count <= batchCountMax else {
            let why = "a batch of \(elements.count) messages is too long; at most \(batchCountMax) are taken at once"
            self = .single(.failure(JSONRPCRefusal(id: .null, error: .invalidRequest(why))))
            return
        }
        self = .batch(elements.map { element in Result { () throws(JSONRPCRefusal) in try JSONRPCMessage(element) } })
    }
}

extension JSONRPCMessage {
    /// Reads a message; unknown members are left alone.
    package init(_ value: JSONValue) throws(JSONRPCRefusal) {
        guard case .object = value else {
            throw JSONRPCRefusal(id: .null, error: .invalidRequest("a message is an object, not \(value.kindDescription)"))
        }
        let idValue = value["id"]
        let id = idValue.flatMap { JSONRPCID($0) }
        func refuse(_ why: String) -> JSONRPCRefusal { JSONRPCRefusal(id: id ?? .null, error: .invalidRequest(why)) }
        guard value["jsonrpc"] == .string("2.0") else { throw refuse("the member \"jsonrpc\" must be \"2.0\"") }
        if let idValue, id == nil {
            throw refuse("the id is a string, a number or null, not \(idValue.kindDescription)")
        }
        if let method = value["method"] {
            guard case .string(let name) = method else {
                throw refuse("the method is a string, not \(method.kindDescription)")
            }
            let params = try JSONRPCParams(value["params"], refuse)
            self = id.map { .request(id: $0, method: name, params: params) } ?? .notification(method: name, params: params)
            return
        }
        guard let id else { throw refuse("the member \"method\" is missing") }
        switch (value["result"], value["error"]) {
        case (let result?, nil): self = .response(id: id, .success(result))
        case (nil, let error?):
            guard let error = JSONRPCError(error) else { throw refuse("the member \"error\" is no error object") }
            self = .response(id: id, .failure(error))
        case (nil, nil): throw refuse("there is neither \"method\" nor \"result\" nor \"error\"")
        case (_?, _?): throw refuse("\"result\" and \"error\" exclude each other")
        }
    }
}

extension JSONRPCParams {
    fileprivate init(_ value: JSONValue?, _ refuse: (String) -> JSONRPCRefusal) throws(JSONRPCRefusal) {
        switch value {
        case nil: self = .none
        case .object(let members): self = .named(members)
        case .array(let values): self = .positional(values)
        case .some(let other): throw refuse("params are an object or an array, not \(other.kindDescription)")
        }
    }
}

// MARK: - Writing

extension JSONRPCMessage {
    package var json: JSONValue {
        var members = [JSONMember("jsonrpc", .string("2.0"))]
        switch self {
        case .request(let id, let method, let params):
            members += [JSONMember("id", id.json), JSONMember("method", .string(method))]
            if let params = params.json { members.append(JSONMember("params", params)) }
        case .notification(let method, let params):
            members.append(JSONMember("method", .string(method)))
            if let params = params.json { members.append(JSONMember("params", params)) }
        case .response(let id, .success(let result)):
            members += [JSONMember("id", id.json), JSONMember("result", result)]
        case .response(let id, .failure(let error)):
            members += [JSONMember("id", id.json), JSONMember("error", error.json)]
        }
        return .object(members)
    }
}
