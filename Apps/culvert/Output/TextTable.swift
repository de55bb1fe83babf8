internal import TunnelProfile

/// Rows in columns of equal width, and names with their values.
enum TextTable {
    /// The head and the rows; every cell is made safe for a terminal.
    static func rows(_ head: [String], _ rows: [[String]]) -> String {
        let rows = [head] + rows.map { $0.map { Printable.text($0) } }
        let widths = head.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { cells in
            zip(cells, widths).enumerated().map { index, cell in
                index == cells.count - 1 ? cell.0 : cell.0 + String(repeating: " ", count: cell.1 - cell.0.count)
            }.joined(separator: "  ")
        }.joined(separator: "\n")
    }

    /// One line for each name that has a value.
    static func details(_ lines: [(name: String, value: String?)]) -> String {
        let present = lines.compactMap { line in line.value.map { (line.name, $0) } }
        let width = present.map(\.0.count).max() ?? 0
        return present.map { name, value in
            "\(name)\(String(repeating: " ", count: width - name.count))  \(Printable.text(value, characterCountMax: 1_000))"
        }.joined(separator: "\n")
    }
}
