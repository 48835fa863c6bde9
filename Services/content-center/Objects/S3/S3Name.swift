/// `s3://bucket/folder/name`, as people write what lies in a bucket (seed 001 §10.3). It carries no secret: whoever reads it needs rights of
/// their own.
struct S3Name: Sendable, Equatable {
    static let scheme = "s3://"

    let bucket: String
    /// As it is, not encoded, with a leading slash.
    let key: String

    /// - Returns: `nil` for what is none: also where a client on the way might take a part of it for a step up or for nothing.
    init?(_ text: String) {
        guard text.hasPrefix(Self.scheme) else { return nil }
        let rest = text.dropFirst(Self.scheme.count)
        guard let slash = rest.firstIndex(of: "/") else { return nil }
        let parts = rest[slash...].dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        guard Self.isBucket(rest[..<slash]), !parts.contains(where: { $0.isEmpty || $0 == "." || $0 == ".." }),
            !rest.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
        else { return nil }
        (bucket, key) = (String(rest[..<slash]), String(rest[slash...]))
    }

    private static func isBucket(_ name: Substring) -> Bool {
        (3...63).contains(name.utf8.count)
            && name.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
            }
    }

    /// What a setting names: a bucket, or what begins so in it.
    static func isPrefix(_ text: String) -> Bool { S3Name(text.hasSuffix("/") ? text + "x" : text + "/x") != nil }
}
