import Foundation
import Testing

/// What a document says of one operation, as far as the code says the same as data.
struct DocumentedOperation: Equatable {
    var tags: [String] = []
    var statuses: Set<String> = []
    /// Names of the header parameters.
    var headers: Set<String> = []
    var takesBody = false
    /// `security: []`: nobody needs to sign in.
    var isOpen = false
}

extension Documents {
    /// Every operation of a service's document by `METHOD path`.
    func operations(of service: String) throws -> [String: DocumentedOperation] {
        let document = try document(service)
        // Read once: it is long, and nearly every operation refers to it.
        let common = try self.document("common")
        let paths = try #require(document["paths"] as? [String: [String: Any]])
        let methods: Set = ["get", "put", "post", "delete", "options", "head", "patch", "trace"]
        var operations: [String: DocumentedOperation] = [:]
        for (path, item) in paths {
            for (method, described) in item where methods.contains(method) {
                let described = try #require(described as? [String: Any])
                let parameters = [item, described].flatMap { $0["parameters"] as? [[String: Any]] ?? [] }
                operations["\(method.uppercased()) \(path)"] = DocumentedOperation(
                    tags: described["tags"] as? [String] ?? [],
                    statuses: Set(try #require(described["responses"] as? [String: Any]).keys),
                    headers: Set(
                        try parameters.map { try resolved($0, in: document, common) }.filter { $0["in"] as? String == "header" }
                            .compactMap { $0["name"] as? String }),
                    takesBody: described["requestBody"] != nil,
                    isOpen: (described["security"] as? [Any])?.isEmpty == true)
            }
        }
        return operations
    }

    /// What a `$ref` leads to, in the document itself or in another one.
    private func resolved(_ value: [String: Any], in own: [String: Any], _ common: [String: Any]) throws -> [String: Any] {
        guard let reference = value["$ref"] as? String else { return value }
        let parts = reference.split(separator: "#", omittingEmptySubsequences: false)
        var found: Any? =
            switch parts[0] {
            case "": own
            case "common.yaml": common
            default: nil
            }
        for name in parts[1].split(separator: "/") { found = (found as? [String: Any])?[String(name)] }
        return try #require(found as? [String: Any], "\(reference) leads nowhere")
    }
}
