import Testing
import TunnelWire

struct BasicCredentialsTests {
    @Test(arguments: [
        // The example of RFC 7617 section 2.
        ("QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin", "open sesame"), ("Og==", "", ""), ("YTo=", "a", ""), ("OmI=", "", "b"),
        ("YTpiOmM=", "a", "b:c"), ("dGVzdDoxMjPCow==", "test", "123£"),
    ])
    func `the first colon ends the user name`(token: String, userID: String, password: String) {
        #expect(BasicCredentials(token: token) == BasicCredentials(userID: userID, password: password))
    }

    @Test(arguments: [
        ("no colon", "YWJj"), ("not base64", "a:b"), ("nothing", ""), ("no padding", "YTo"), ("a blank", "YTo= "),
        ("not UTF-8", "YTr/"),
    ])
    func `what is no user name and password is nothing`(what: String, token: String) {
        #expect(BasicCredentials(token: token) == nil, "\(what)")
    }
}
