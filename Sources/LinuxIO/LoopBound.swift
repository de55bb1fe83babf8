/// Something that lives on a loop, carried through code that runs elsewhere and touched on its loop only.
// `value(on:)` hands the value out only to who holds its `Loop`, and a loop is in reach only on its own thread.
package struct LoopBound<Value>: @unchecked Sendable {
    private let bound: Value
    private unowned let owner: Loop

    package init(_ value: Value, on loop: Loop) {
        bound = value
        owner = loop
    }

    package func value(on loop: Loop) -> Value {
        precondition(loop === owner, "a value was taken to a loop that it does not live on")
        return bound
    }
}
