import Foundation
import Testing
import TunnelDomain

@testable import TunnelWire

struct MetricPageTests {
    @Test func `every metric has a name, a kind and words of its own, by the conventions of Prometheus`() {
        #expect(Set(Metric.all.map(\.name)).count == Metric.all.count)
        for metric in Metric.all {
            #expect(metric.name.hasPrefix("culvert_") || metric.name.hasPrefix("process_"), "\(metric.name)")
            #expect((metric.kind == .counter) == metric.name.hasSuffix("_total"), "\(metric.name)")
            #expect(
                (metric.kind == .histogram) == (metric.name.hasSuffix("_seconds") && metric.kind != .gauge), "\(metric.name)")
            #expect(!metric.help.isEmpty && !metric.help.contains("\n") && !metric.help.contains("|"), "\(metric.name)")
        }
    }

    @Test func `the handbook lists all of them`() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let handbook = try String(contentsOf: root.appending(path: "Docs/Operations.md"), encoding: .utf8)
        #expect(
            handbook.contains(Metric.markdownTable), "put this into Docs/Operations.md under Metrics:\n\(Metric.markdownTable)")
    }

    @Test func `a page without samples still says what there is`() {
        let text = MetricPage().text
        for metric in Metric.all {
            #expect(text.contains("# TYPE \(metric.name) \(metric.kind.rawValue)\n"))
            #expect(text.contains("# HELP \(metric.name) \(metric.help)\n"))
        }
    }

    @Test func `samples stand behind their metric, with labels in order`() {
        var page = MetricPage()
        page.add(.apiRequests, "GET", "/a/{id}", "200", count: 3)
        page.add(.tunnels, "active", count: 1)
        page.add(.tunnels, "delete_pending", count: 2)
        #expect(page.text.contains(#"culvert_api_requests_total{method="GET",route="/a/{id}",status="200"} 3"# + "\n"))
        #expect(
            page.text.contains(
                "# TYPE culvert_tunnels gauge\nculvert_tunnels{status=\"active\"} 1\n"
                    + "culvert_tunnels{status=\"delete_pending\"} 2\n"
            ))
    }

    @Test func `what would break a line is escaped`() {
        var page = MetricPage()
        page.add(.build, "1\"\\\n", count: 1)
        #expect(page.text.contains(#"culvert_build_info{version="1\"\\\n"} 1"# + "\n"))
    }

    @Test func `buckets hold what is before them, and the last one everything`() {
        var histogram = DurationHistogram(.requests)
        for milliseconds in [1, 2, 100_000] as [Int64] { histogram.record(nanoseconds: milliseconds * 1_000_000) }
        var page = MetricPage()
        page.add(.requestSeconds, histogram: histogram)
        let lines = page.text.split(separator: "\n").filter { $0.hasPrefix("culvert_request_seconds") }
        #expect(lines.first == #"culvert_request_seconds_bucket{le="0.001"} 1"#)
        #expect(lines.contains(#"culvert_request_seconds_bucket{le="0.0025"} 2"#))
        #expect(lines.contains(#"culvert_request_seconds_bucket{le="60.0"} 2"#))
        #expect(
            lines.suffix(3) == [
                #"culvert_request_seconds_bucket{le="+Inf"} 3"#, "culvert_request_seconds_sum 100.003",
                "culvert_request_seconds_count 3",
            ])
    }
}
