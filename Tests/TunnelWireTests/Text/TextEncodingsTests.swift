import Testing
import TunnelWire

@Suite struct TextEncodingsTests {
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ])
    func `base64 is that of RFC 4648`(plain: String, text: String) {
        #expect(Base64.encode(Array(plain.utf8)) == text)
        #expect(Base64.decode(text) == Array(plain.utf8))
    }

    @Test(arguments: ["Zg", "Zg=", "Zh==", "Zm9=", "Z===", "====", "=Zg=", "Zm 9", "Zm9v\n", "Zm-_", "Zg==Zg=="])
    func `base64 with another spelling is refused`(text: String) {
        #expect(Base64.decode(text) == nil)
    }

    @Test func `every byte survives both encodings`() {
        let bytes = (0...255).map { UInt8($0) }
        #expect(Base64.decode(Base64.encode(bytes)) == bytes)
        #expect(Hex.decode(Hex.encode(bytes)) == bytes)
        #expect(Hex.decode(Hex.encode(bytes).uppercased()) == bytes)
    }

    @Test(arguments: ["0", "0g", "é", " 00", "0x00"]) func `hexadecimal with other characters is refused`(text: String) {
        #expect(Hex.decode(text) == nil)
    }
}
