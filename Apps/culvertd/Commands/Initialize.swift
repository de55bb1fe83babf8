import FileStorage
import Foundation
import SystemClock
import TLS
import TunnelAPI
import TunnelDomain
import TunnelService
import TunnelWire

/// `culvertd init`: lays a data directory out, or adds an organization, or an admin key of one, to it.
struct Initialize {
    private let path: String
    private let zoneText: String?
    private let addsOrganization: Bool
    private let keyedOrganization: OrganizationID?
    /// What the new admin key is narrowed to; nil for nothing.
    private let scopes: [KeyScopeName]?
    private let ranges: [AddressRange]
    private let passphraseFile: String?
    private let asJSON: Bool

    init(flags: Flags, environment: [String: String]) throws(UsageError) {
        path = try flags.dataDirectory(in: environment)
        zoneText = try flags.single("--zone", or: "CULVERT_ZONE", in: environment)
        addsOrganization = flags.switches.contains("--add-organization")
        keyedOrganization = try Self.organization(flags.single("--add-admin-key"))
        if addsOrganization, keyedOrganization != nil {
            throw UsageError("--add-organization and --add-admin-key do not go together; a new organization has a key")
        }
        scopes = try flags.values["--scope"].map(Self.scopes)
        ranges = try Self.ranges(flags.values["--allow-from"] ?? [])
        if keyedOrganization == nil, scopes != nil || !ranges.isEmpty {
            throw UsageError("--scope and --allow-from narrow a key that is added; give --add-admin-key ORGANIZATION too")
        }
        passphraseFile = try flags.single(
            Setting.authorityPassphraseFile.flag, or: Setting.authorityPassphraseFile.environmentName, in: environment)
        asJSON = flags.switches.contains("--json")
    }

    func run() async throws {
        let created: Made =
            if let keyedOrganization {
                try await addAdminKey(of: keyedOrganization)
            } else {
                Made(addsOrganization ? try await addOrganization() : try await layOut())
            }
        try Output.result(asJSON ? json(created) : sentences(created))
    }

    /// What is told of an organization and its new key.
    private struct Made {
        var organization: OrganizationID
        var apiKey: String

        init(_ created: CreateOrganization.Created) {
            (organization, apiKey) = (created.organization.id, created.apiKey)
        }

        init(_ minted: MintAdminKey.Minted) { (organization, apiKey) = (minted.record.organizationID, minted.apiKey) }
    }

    private static func organization(_ text: String?) throws(UsageError) -> OrganizationID? {
        guard let text else { return nil }
        guard let id = OrganizationID(text) else {
            throw UsageError("--add-admin-key is “\(text)”, which is no organization's id; it begins with org_")
        }
        return id
    }

    private static func scopes(_ texts: [String]) throws(UsageError) -> [KeyScopeName] {
        var scopes: [KeyScopeName] = []
        for text in texts {
            do throws(KeyScopeError) {
                scopes.append(try KeyScopeName(validating: text))
            } catch {
                throw UsageError("--scope is “\(text)”: \(error.explanation)")
            }
        }
        return scopes
    }

    private static func ranges(_ texts: [String]) throws(UsageError) -> [AddressRange] {
        var ranges: [AddressRange] = []
        for text in texts {
            do throws(AddressRangeError) {
                ranges.append(try AddressRange(validating: text))
            } catch {
                throw UsageError("--allow-from is “\(text)”: \(error.explanation)")
            }
        }
        return ranges
    }

    // MARK: - Doing

    /// Everything up to the zone can be done again: only with the zone written down does a directory count as laid out.
    private func layOut() async throws -> CreateOrganization.Created {
        let zone = try requireZone()
        // Before anything is made: a passphrase that cannot be read must not leave a key without one.
        let passphrase = try passphraseFile.map { try AuthorityPassphrase(path: $0) }
        let directory = try DataDirectory.make(at: path)
        let store = try SQLiteStore.open(in: directory, creating: true)
        if let known = try await store.fact(.zone) {
            throw Complaint(
                "\(path) is already laid out, for the zone \(known); add an organization to it with "
                    + "`culvertd init --data-dir \(path) --add-organization`, or name an empty directory")
        }
        let authority = try CertificateAuthority.make(zone: zone.text, at: SystemWallClock().now)
        try ServiceFiles.make(authority, in: directory, passphrase: passphrase)
        let sealingKey = try ServiceFiles.sealingKey(in: directory)
        let created = try await createOrganization(store, sealingKey, authority)
        try await store.setFact(.zone, to: zone.text)
        await store.close()
        return created
    }

    private func addOrganization() async throws -> CreateOrganization.Created {
        let opened = try await OpenedDirectory(path: path, passphraseFile: passphraseFile)
        if zoneText != nil, try requireZone() != opened.zone {
            throw Complaint("\(path) is laid out for the zone \(opened.zone); leave --zone out, or name another directory")
        }
        let created = try await createOrganization(opened.store, opened.sealingKey, opened.authority)
        await opened.store.close()
        return created
    }

    private func addAdminKey(of organization: OrganizationID) async throws -> Made {
        let opened = try await OpenedDirectory(path: path, passphraseFile: passphraseFile)
        let ports = ServicePorts(
            store: opened.store, sealingKey: opened.sealingKey, authority: opened.authority, events: NoEdge(),
            presence: NoEdge())
        let minted: MintAdminKey.Minted?
        do {
            minted = try await MintAdminKey(ports: ports)(for: organization, scopes: scopes, ranges: ranges)
        } catch Refusal.keyField(let error) {
            await opened.store.close()
            throw Complaint(error.explanation)
        }
        await opened.store.close()
        guard let minted else {
            throw Complaint("\(path) has no organization \(organization); `culvertd init` has printed its id when it was made")
        }
        return Made(minted)
    }

    private func createOrganization(
        _ store: SQLiteStore, _ sealingKey: SealingKey, _ authority: CertificateAuthority
    ) async throws -> CreateOrganization.Created {
        let ports = ServicePorts(
            store: store, sealingKey: sealingKey, authority: authority, events: NoEdge(), presence: NoEdge())
        return try await CreateOrganization(ports: ports)()
    }

    private func requireZone() throws -> Zone {
        guard let zoneText else {
            throw UsageError("no zone is named; give --zone localhost, or the domain under which tunnels get their hosts")
        }
        do throws(ZoneError) {
            return try Zone(validating: zoneText)
        } catch {
            throw UsageError("--zone is “\(zoneText)”: \(error.explanation)")
        }
    }

    // MARK: - Telling

    private var authorityFile: String {
        URL(filePath: path).appending(path: ServiceFiles.authority).standardizedFileURL.path()
    }

    private func json(_ created: Made) -> String {
        let answer = JSONValue.members([
            "organization_id": .string(created.organization.text), "api_key": .string(created.apiKey),
            "ca_file": .string(authorityFile),
        ])
        return String(decoding: answer.serialized, as: UTF8.self)
    }

    private func sentences(_ created: Made) -> String {
        """
        Organization: \(created.organization)
        API key:      \(created.apiKey)
        Trusted CA:   \(authorityFile)

        The key is shown this once. Keep it in a file of mode 0600, and start the service with
          culvertd serve --data-dir \(path)\(passphraseFile.map { " --ca-passphrase-file \($0)" } ?? "")
        """
    }
}
