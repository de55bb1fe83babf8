import TLS
import Testing
import TunnelWire

struct TunnelNoticeTests {
    private static let notice = TunnelNotice(
        status: 502, code: "agent-offline", title: "Tunnel <offline>", reason: "It's \"away\".", forVisitor: "Wait & see.",
        forOwner: "Start it.")

    private func answer(_ accept: String) -> (head: HTTPResponseHead, text: String) {
        var fields = HTTPFields()
        fields.append("accept", accept)
        let answer = Self.notice.answer(requestID: "r-1", to: fields)
        #expect(answer.head.fields.first(.contentLength) == "\(answer.body.count)")
        return (answer.head, String(decoding: answer.body, as: UTF8.self))
    }

    @Test func `the policy allows the page's own style and nothing else`() {
        #expect(NoticePage.styleHash == "sha256-" + Base64.encode(SHA256.hash(NoticePage.style)))
        let (head, text) = answer("text/html")
        #expect(head.fields.first(named: "content-security-policy") == NoticePage.securityPolicy)
        #expect(NoticePage.securityPolicy.hasPrefix("default-src 'none'; style-src '\(NoticePage.styleHash)';"))
        #expect(text.contains("<style>\(NoticePage.style)</style>"))
        for outside in ["<script", "http://", "https://", "url(", "@import", " src=", " style=", "<link"] {
            #expect(!text.contains(outside), "\(outside)")
        }
    }

    @Test func `a person gets a page that says everything, escaped`() {
        let (head, text) = answer("text/html")
        #expect(head.status == 502 && head.fields.first(.contentType) == "text/html; charset=utf-8")
        #expect(text.contains("<html lang=\"en\">") && text.contains("name=\"viewport\"") && text.contains("<main>"))
        for part in [
            "Tunnel &lt;offline&gt;", "It&#39;s &quot;away&quot;.", "Wait &amp; see.", "Start it.", "r-1", "502 Bad Gateway",
        ] {
            #expect(text.contains(part), "\(part)")
        }
    }

    @Test func `a program gets a problem document that says the same`() {
        let (head, text) = answer("application/json")
        #expect(head.fields.first(.contentType) == "application/problem+json" && head.fields.first(.vary) == "accept")
        #expect(text.contains(#""code":"agent-offline""#) && text.contains(#""request_id":"r-1""#))
        #expect(text.contains(#"If this tunnel is yours: start it."#))
        #expect(!head.fields.pairs.contains { $0.name == "content-security-policy" })
    }

    @Test func `what is none of the owner's business is not said`() {
        var notice = Self.notice
        notice.forOwner = ""
        #expect(!notice.detail.contains("yours"))
        #expect(!NoticePage.html(notice, requestID: "r").contains("yours"))
    }
}
