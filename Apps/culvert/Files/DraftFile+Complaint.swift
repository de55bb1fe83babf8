internal import TunnelProfile

// The same file for people: what is wrong, and what to do.
extension DraftFile {
    /// Makes the empty draft of a file; the folder must be there.
    static func make(at path: String, mode: UInt32 = 0o600) throws(Complaint) -> DraftFile {
        do throws(Flaw) { return try DraftFile(for: path, mode: mode) } catch { throw Complaint(ProfileFlaw(error)) }
    }

    /// Writes the content, brings it to the disk, and moves it into place.
    func keep(_ bytes: [UInt8]) throws(Complaint) {
        do throws(Flaw) { try commit(bytes) } catch { throw Complaint(ProfileFlaw(error)) }
    }
}
