import Testing

@testable import culvert_rpc

struct RedactionTests {
    @Test(arguments: [
        ("authorization", true), ("Cookie", true), ("x-api-key", true), ("X-Secret-Thing", true), ("client_secret", true),
        ("accessToken", true), ("API-Key", true), ("content-type", false), ("x-signature", false), ("author", false),
    ])
    func `a name tells whether its value is a secret`(name: String, isSecret: Bool) {
        #expect(Redaction.isSecret(name: name) == isSecret)
    }

    @Test(arguments: [
        "tnl_0123456789abcdef0123456789abcdef", "ApiKey_0123456789abcdefghij", "ghp_0123456789abcdefghij",
        "AKIA0123456789ABCDEF",
        "sk_live_0123456789abcdefgh", "xoxb-0123456789-abc", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
        "Bearer abcdefghijklmno",
        "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----",
    ])
    func `what looks like a secret goes wherever it stands`(secret: String) {
        for text in ["see \(secret) here", #"{"a":["\#(secret.replacing("\n", with: "\\n"))"]}"#, "a=1&b=\(secret)"] {
            let shown = Redaction.body(text, contentType: "text/plain")
            #expect(!shown.contains(secret.suffix(12)) && shown.contains(Redaction.mark), "\(shown)")
        }
    }

    @Test(arguments: [
        (
            #"{"a":1.50,"password":"x","b":{"token":12,"c":["é"]}}"#,
            #"{"a":1.50,"password":"[redacted]","b":{"token":"[redacted]","c":["é"]}}"#
        ),
        (
            #"{"h":[["cookie","x"],["a","b"]],"u":"/?token=x&a=1"}"#,
            #"{"h":[["cookie","[redacted]"],["a","b"]],"u":"/?token=[redacted]&a=1"}"#
        ),
        (
            #"{"secrets":{"a":"b","c":[1,null,true]},"tokens":["x"],"d":["token",{"e":"y"}]}"#,
            #"{"secrets":{"a":"[redacted]","c":["[redacted]",null,true]},"tokens":["[redacted]"],"#
                + #""d":["token",{"e":"[redacted]"}]}"#
        ),
        (
            "user: ann\npassword: hunter2\nauthorization: Basic abc\nAuthorization: Basic dXNlcjpwYXNz",
            "user: ann\npassword: [redacted]\nauthorization: Basic [redacted]\nAuthorization: [redacted]"
        ),
        (
            "<user>ann</user><api:token kind=\"x\">abc</api:token>",
            "<user>ann</user><api:token kind=\"x\">[redacted]</api:token>"
        ),
        (#"{"password":"long and cut o"#, #"{"password":"[redacted]"#), ("plain words", "plain words"),
    ])
    func `bodies lose their secrets and nothing else`(body: String, shown: String) {
        #expect(Redaction.body(body, contentType: "application/json") == shown)
    }

    @Test(arguments: [
        ("/a?b=1&token=x&c", "/a?b=1&token=[redacted]&c"), ("/a", "/a"), ("/a?", "/a?"),
        ("/a?x=tnl_0123456789abcdef0123456789abcdef", "/a?x=[redacted]"),
    ])
    func `paths lose the values of telling parameters`(path: String, shown: String) {
        #expect(Redaction.path(path) == shown)
    }

    @Test(arguments: ["\r\n--b--\r\n", ""])
    func `forms with files lose the values of telling fields`(end: String) {
        let head =
            "--b\r\nContent-Disposition: form-data; name=\"user\"\r\n\r\nann\r\n--b\r\n"
            + "Content-Disposition: form-data; name=\"user[password]\"; filename=\"a\"\r\nContent-Type: text/plain\r\n\r\n"
        let shown = Redaction.body("\(head)hunter2\n--line\(end)", contentType: "multipart/form-data; boundary=b")
        #expect(shown == "\(head)\(Redaction.mark)\(end)")
    }

    @Test func `forms are read by their type`() {
        let body = "user=a&password=b"
        #expect(
            Redaction.body(body, contentType: "application/x-www-form-urlencoded; charset=utf-8")
                == "user=a&password=[redacted]")
        #expect(Redaction.path("/?user%5Bp%61ssword%5D=b&c=d") == "/?user%5Bp%61ssword%5D=[redacted]&c=d")
    }
}
