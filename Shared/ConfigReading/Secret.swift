/// A value that must not show up in logs, errors or debuggers: passwords, keys, connection URLs.
///
/// Printing, interpolating, dumping and mirroring it all give `•••`; only ``exposed`` gives the value.
public struct Secret: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The value itself. Hand it to the library that needs it and to nothing else.
    public let exposed: String

    public init(_ value: String) { exposed = value }

    public var description: String { "•••" }
    public var debugDescription: String { "•••" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
