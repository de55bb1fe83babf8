internal import TunnelDomain

/// Writes events to the log, in the transaction of the change that they tell of.
struct EventLog {
    let ports: ServicePorts

    func append(_ drafts: [EventDraft], in store: any StoreWriting, at now: Timestamp) throws(StoreError) {
        for draft in drafts {
            let event = EventRecord(
                id: UUIDValue(randomBytes: ports.randomness.bytes(16)), occurredAt: now, type: draft.type,
                organizationID: draft.organizationID, identityID: draft.identityID, tunnelID: draft.tunnelID,
                dataJSON: draft.dataJSON)
            try store.append(event)
            try WebhookOutbox(ports: ports).add(event, draft, in: store, at: now)
        }
    }
}
