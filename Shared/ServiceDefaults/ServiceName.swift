/// The five services, under the names of their executables.
public enum ServiceName: String, Sendable, Hashable, CaseIterable, Codable {
    case gatewayBFF = "gateway-bff"
    case orchestrationService = "orchestration-service"
    case agentCenter = "agent-center"
    case contentCenter = "content-center"
    case deliveryConnectorDouyin = "delivery-connector-douyin"

    /// Where it listens unless `PORT` says otherwise (design §4).
    public var defaultPort: Int {
        switch self {
        case .gatewayBFF: 8080
        case .orchestrationService: 8081
        case .agentCenter: 8082
        case .contentCenter: 8083
        case .deliveryConnectorDouyin: 8084
        }
    }

    /// The setting that tells its callers where it is.
    public var urlKey: String {
        switch self {
        case .gatewayBFF: "GATEWAY_URL"
        case .orchestrationService: "ORCHESTRATION_URL"
        case .agentCenter: "AGENT_CENTER_URL"
        case .contentCenter: "CONTENT_CENTER_URL"
        case .deliveryConnectorDouyin: "CONNECTOR_URL"
        }
    }

    /// Its database, and the first part of its roles: `content`, `content_owner`, `content_app`, `content_system`.
    public var databaseName: String {
        switch self {
        case .gatewayBFF: "gateway"
        case .orchestrationService: "orchestration"
        case .agentCenter: "agent"
        case .contentCenter: "content"
        case .deliveryConnectorDouyin: "connector"
        }
    }
}

/// Who may call whom: the arrows of design §2. `deploy/call-map.json` holds the same list for the network policies; a test compares them.
public enum CallMap {
    public static let allowed: [ServiceName: [ServiceName]] = [
        .gatewayBFF: [.orchestrationService, .agentCenter, .contentCenter, .deliveryConnectorDouyin],
        .orchestrationService: [.agentCenter, .contentCenter, .deliveryConnectorDouyin],
        .agentCenter: [.orchestrationService],
        .contentCenter: [],
        .deliveryConnectorDouyin: [],
    ]

    public static func allows(_ caller: ServiceName, toCall callee: ServiceName) -> Bool {
        allowed[caller]?.contains(callee) ?? false
    }

    public static func callers(of callee: ServiceName) -> [ServiceName] {
        ServiceName.allCases.filter { allows($0, toCall: callee) }
    }
}
