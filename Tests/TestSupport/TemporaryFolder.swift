internal import Foundation

/// A path for a folder that is removed with all that is in it when the test ends.
package struct TemporaryFolder: ~Copyable {
    package let path = NSTemporaryDirectory() + "culvert-test-" + UUID().uuidString

    package init() {}

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// The permission bits of a file.
    package func mode(of file: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: file)
        return (attributes[.posixPermissions] as? NSNumber)?.intValue ?? -1
    }
}
