package import TunnelDomain

/// What all metrics came to at one moment, and the page that tells it (Prometheus text format 0.0.4).
package struct MetricPage: Sendable {
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private var lines: [Metric: String] = [:]

    package init() {}

    /// - Precondition: there is a value for each label.
    package mutating func add(_ metric: Metric, _ labelValues: String..., count: Int) {
        add(metric, metric.name, labels(of: metric, labelValues), "\(count)")
    }

    package mutating func add(_ metric: Metric, _ labelValues: String..., seconds: Double) {
        add(metric, metric.name, labels(of: metric, labelValues), "\(seconds)")
    }

    /// Adds the buckets, each with what is in those before it, the sum in seconds, and the count.
    package mutating func add(_ metric: Metric, _ labelValues: String..., histogram: DurationHistogram) {
        precondition(metric.kind == .histogram, "\(metric.name) is no histogram")
        let labels = labels(of: metric, labelValues)
        var count = 0
        for (place, inBucket) in histogram.counts.enumerated() {
            count += inBucket
            let bounds = histogram.scale.boundNanoseconds
            let bound = place < bounds.count ? "\(Self.seconds(bounds[place]))" : "+Inf"
            add(metric, metric.name + "_bucket", labels + [("le", bound)], "\(count)")
        }
        add(metric, metric.name + "_sum", labels, "\(Self.seconds(histogram.sumNanoseconds))")
        add(metric, metric.name + "_count", labels, "\(count)")
    }

    /// Every metric of the catalog with its help and type, also one that has no sample yet.
    package var text: String {
        Metric.all.map { metric in
            let help = metric.help.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
            return "# HELP \(metric.name) \(help)\n# TYPE \(metric.name) \(metric.kind.rawValue)\n" + (lines[metric] ?? "")
        }.joined()
    }

    private static func seconds(_ nanoseconds: Int64) -> Double { Double(nanoseconds) / 1e9 }

    private func labels(of metric: Metric, _ values: [String]) -> [(String, String)] {
        precondition(values.count == metric.labels.count, "\(metric.name) has the labels \(metric.labels)")
        return Array(zip(metric.labels, values))
    }

    private mutating func add(_ metric: Metric, _ name: String, _ labels: [(String, String)], _ value: String) {
        let inside = labels.map { "\($0.0)=\"\(Self.escaped($0.1))\"" }.joined(separator: ",")
        lines[metric, default: ""] += inside.isEmpty ? "\(name) \(value)\n" : "\(name){\(inside)} \(value)\n"
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}
