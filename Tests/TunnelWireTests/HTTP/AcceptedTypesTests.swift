import TestSupport
import Testing
import TunnelWire

struct AcceptedTypesTests {
    private func types(_ values: [String]) -> AcceptedTypes {
        var fields = HTTPFields()
        for value in values { fields.append("accept", value) }
        return AcceptedTypes(fields)
    }

    @Test(
        arguments: [
            ([], false), (["*/*"], false), (["text/*"], true), (["text/html"], true), (["TEXT/HTML"], true),
            (["text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"], true),
            (["text/html, */*"], true), (["*/*, text/html"], true), (["application/json, text/html"], false),
            (["text/html, application/json"], true), (["application/json;q=0.9", "text/html"], true),
            (["text/html;q=0.9, application/problem+json"], false), (["text/html;q=0.9"], true),
            (["text/html;level=1;q=0.001"], true), (["text/html;q=0"], false), (["text/html;q=0, */*"], false),
            (["text/html ; q=0.5 , */* ; q=0.4"], true), (["image/png"], false), ([""], false), ([",,;q=1,/"], false),
            (["text/html;q=2"], false), (["text/html;q=1.001"], false), (["text/html;q=0.1234"], false),
            (["text/html;q=0.5, */*;q=0.5"], true),
        ] as [([String], Bool)])
    func `a page is for whoever would rather have one`(values: [String], prefersHTML: Bool) {
        #expect(types(values).prefersHTML == prefersHTML)
    }

    @Test func `the most exact range decides`() {
        let types = types(["*/*;q=0.1, text/*;q=0.5, text/html;q=0.25"])
        #expect(types.weight(of: "text", "html") == 250)
        #expect(types.weight(of: "text", "plain") == 500)
        #expect(types.weight(of: "image", "png") == 100)
    }

    @Test func `whatever is sent, weights stay in their range`() throws {
        try checkProperty { sample in
            let text = sample.text(of: "*/,;q=01.5 texhml", count: 0...40)
            sample.note(text)
            let types = types([text])
            for weight in [types.weight(of: "text", "html"), types.weight(of: "application", "json")] {
                try sample.check((0...1000).contains(weight), "a weight of \(weight)")
            }
            if types.prefersHTML { try sample.check(types.weight(of: "text", "html") > 0, "a page that was not accepted") }
        }
    }
}
