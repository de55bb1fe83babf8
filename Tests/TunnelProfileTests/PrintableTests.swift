import Testing
import TunnelProfile

struct PrintableTests {
    @Test(arguments: [("plain", "plain"), ("a\u{1B}[31mb", "a?[31mb"), ("a\u{202E}b", "a?b"), ("a\nb", "a?b"), ("é漢", "é漢")])
    func `text from elsewhere cannot command the terminal`(text: String, shown: String) {
        #expect(Printable.text(text) == shown)
    }

    @Test func `long text is cut`() {
        #expect(Printable.text(String(repeating: "a", count: 201)) == String(repeating: "a", count: 200) + "…")
        #expect(Printable.text(String(repeating: "a", count: 200)).count == 200)
    }
}
