import HTTPCore

/// Routes by path segment. A literal segment wins over a parameter; where its branch leads nowhere, the parameter is tried.
struct RouteTrie: Sendable {
    private struct Node: Sendable {
        var literals: [String: Int] = [:]
        var parameter: Int?
        var routes: [HTTPMethod: Route] = [:]
    }

    enum Match {
        case route(Route, parameters: [String])
        /// The path exists; these methods do.
        case otherMethods([HTTPMethod])
        case none
    }

    private var nodes = [Node()]

    /// - Returns: `false` if that method and path are taken.
    mutating func insert(_ route: Route, segments: [PatternSegment]) -> Bool {
        var index = 0
        for segment in segments {
            let existing =
                switch segment {
                case .literal(let text): nodes[index].literals[text]
                case .parameter: nodes[index].parameter
                }
            if let existing {
                index = existing
                continue
            }
            nodes.append(Node())
            switch segment {
            case .literal(let text): nodes[index].literals[text] = nodes.count - 1
            case .parameter: nodes[index].parameter = nodes.count - 1
            }
            index = nodes.count - 1
        }
        return nodes[index].routes.updateValue(route, forKey: route.info.method) == nil
    }

    func match(_ method: HTTPMethod, _ segments: [String]) -> Match {
        var parameters: [String] = []
        guard let node = find(segments[...], from: 0, &parameters) else { return .none }
        let routes = nodes[node].routes
        if let route = routes[method] { return .route(route, parameters: parameters) }
        if method == .head, let route = routes[.get] { return .route(route, parameters: parameters) }
        var allowed = Set(routes.keys)
        if allowed.contains(.get) { allowed.insert(.head) }
        allowed.insert(.options)
        return .otherMethods(allowed.sorted { $0.rawValue < $1.rawValue })
    }

    private func find(_ segments: ArraySlice<String>, from index: Int, _ parameters: inout [String]) -> Int? {
        guard let segment = segments.first else { return nodes[index].routes.isEmpty ? nil : index }
        if let next = nodes[index].literals[segment], let found = find(segments.dropFirst(), from: next, &parameters) {
            return found
        }
        guard let next = nodes[index].parameter, !segment.isEmpty else { return nil }
        parameters.append(segment)
        if let found = find(segments.dropFirst(), from: next, &parameters) { return found }
        parameters.removeLast()
        return nil
    }
}

/// One part of a pattern such as `/v1/contents/{id}`.
enum PatternSegment: Equatable {
    case literal(String)
    case parameter(String)

    /// - Returns: `nil` unless the pattern is well-formed.
    static func parse(_ pattern: String) -> [PatternSegment]? {
        guard pattern.hasPrefix("/") else { return nil }
        if pattern == "/" { return [] }
        var segments: [PatternSegment] = []
        for part in pattern.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            if part.hasPrefix("{"), part.hasSuffix("}"), part.count > 2 {
                segments.append(.parameter(String(part.dropFirst().dropLast())))
            } else if !part.isEmpty, !part.contains("{"), !part.contains("}") {
                segments.append(.literal(String(part)))
            } else {
                return nil
            }
        }
        return segments
    }
}
