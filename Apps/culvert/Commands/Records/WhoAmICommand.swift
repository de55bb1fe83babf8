internal import FoundationEssentials
internal import TunnelClient

/// `culvert whoami`: who the server takes the caller for.
struct WhoAmICommand {
    let session: CommandSession

    func run() async throws(Complaint) {
        let caller = try await session.attempt("ask who this key is") { client throws(ClientError) in
            try await client.caller()
        }
        guard !session.console.isJSON else { return session.console.printJSON(caller) }
        // A key of one identity sees that one alone.
        let handle = caller.authSubtype == .identityKey ? try await session.identities().first?.agentHandle : nil
        session.console.print(CallerText.details(caller, handle: handle))
    }
}
