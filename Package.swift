// swift-tools-version: 6.2
import PackageDescription

/// One settings array for every target: Swift 6 mode comes with the tools version, warnings are errors, and imports
/// are internal unless they say `public`, so that a C type in a public signature does not compile.
let settings: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    // Requests pass many small functions of the shared modules: specialised and inlined across modules they take a tenth less time.
    .unsafeFlags(["-cross-module-optimization"], .when(configuration: .release)),
]

func shared(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, path: "Shared/\(name)", swiftSettings: settings)
}

func cLibrary(_ name: String, pkgConfig: String, package: String) -> Target {
    .systemLibrary(
        name: name, path: "Shared/CLibraries/\(name)", pkgConfig: pkgConfig, providers: [.apt([package])])
}

func service(_ name: String, folder: String, besides more: [Target.Dependency] = []) -> Target {
    .executableTarget(
        name: name,
        dependencies: [
            "ConcurrencySupport", "ConfigReading", "Cryptography", "DTO", "HTTPCalling", "HTTPCore", "HTTPServing", "Jobs",
            "Lifecycle", "Messaging", "Observability", "PostgresStore", "ServiceDefaults",
        ] + more,
        path: "Services/\(folder)", exclude: ["README.md"], swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(
        name: name, dependencies: dependencies + ["TestSupport"], path: "Tests/\(name)", swiftSettings: settings)
}

let executables = [
    ("gateway-bff", "GatewayBFF"),
    ("orchestration-service", "OrchestrationService"),
    ("agent-center", "AgentCenter"),
    ("content-center", "ContentCenter"),
    ("delivery-connector-douyin", "DeliveryConnectorDouyin"),
    ("sandbox", "Sandbox"),
]

let package = Package(
    name: "douyin-marketing-platform",
    products: executables.map { .executable(name: $0.0, targets: [$0.1]) },
    targets: [
        // MARK: C libraries, each imported by exactly one module
        cLibrary("CMicrohttpd", pkgConfig: "libmicrohttpd", package: "libmicrohttpd-dev"),
        cLibrary("CCurl", pkgConfig: "libcurl", package: "libcurl4-openssl-dev"),
        cLibrary("CPostgres", pkgConfig: "libpq", package: "libpq-dev"),
        cLibrary("CRabbitMQ", pkgConfig: "librabbitmq", package: "librabbitmq-dev"),
        cLibrary("COpenSSL", pkgConfig: "openssl", package: "libssl-dev"),
        cLibrary("CArgon2", pkgConfig: "libargon2", package: "libargon2-dev"),
        cLibrary("CArchive", pkgConfig: "libarchive", package: "libarchive-dev"),
        cLibrary("CZlib", pkgConfig: "zlib", package: "zlib1g-dev"),
        .systemLibrary(name: "CEpoll", path: "Shared/CLibraries/CEpoll"),
        .systemLibrary(name: "CSpawn", path: "Shared/CLibraries/CSpawn"),

        // MARK: Shared
        shared("DTO", ["HTTPCore", "Observability"]),
        shared("ConcurrencySupport", ["CEpoll"]),
        shared("ChildProcesses", ["ConcurrencySupport", "CSpawn"]),
        shared("ConfigReading"),
        shared("Observability", ["ConcurrencySupport"]),
        shared("Lifecycle", ["ConcurrencySupport", "Observability"]),
        shared("Cryptography", ["ConcurrencySupport", "ConfigReading", "COpenSSL", "CArgon2"]),
        shared("Archiving", ["ConcurrencySupport", "CArchive", "CZlib"]),
        shared("HTTPCore", ["Observability"]),
        shared("HTTPServing", ["HTTPCore", "ConcurrencySupport", "Lifecycle", "Observability", "CMicrohttpd"]),
        shared("HTTPCalling", ["HTTPCore", "ConcurrencySupport", "Lifecycle", "Observability", "CCurl"]),
        shared("PostgresStore", ["ConcurrencySupport", "ConfigReading", "Lifecycle", "Observability", "CPostgres"]),
        shared(
            "Messaging",
            ["ConcurrencySupport", "ConfigReading", "HTTPCore", "Lifecycle", "Observability", "PostgresStore", "CRabbitMQ"]),
        shared("Jobs", ["ConcurrencySupport", "Lifecycle", "Observability", "PostgresStore"]),
        shared(
            "ServiceDefaults",
            [
                "ConcurrencySupport", "ConfigReading", "Cryptography", "DTO", "HTTPCalling", "HTTPCore", "HTTPServing",
                "Lifecycle", "Messaging", "Observability", "PostgresStore",
            ]),

        // MARK: Services
        service("GatewayBFF", folder: "gateway-bff"),
        service("OrchestrationService", folder: "orchestration-service"),
        service("AgentCenter", folder: "agent-center"),
        service("ContentCenter", folder: "content-center", besides: ["Archiving", "ChildProcesses"]),
        service("DeliveryConnectorDouyin", folder: "delivery-connector-douyin"),

        // MARK: Tests
        .executableTarget(
            name: "Sandbox", dependencies: ["ConcurrencySupport", "Cryptography"], path: "Tests/Sandbox", exclude: ["README.md"],
            swiftSettings: settings),
        .target(
            name: "TestSupport",
            dependencies: [
                "ConcurrencySupport", "ConfigReading", "Cryptography", "HTTPCalling", "HTTPCore", "HTTPServing", "Lifecycle",
                "Messaging", "Observability", "PostgresStore", "ServiceDefaults",
            ],
            path: "Tests/TestSupport", swiftSettings: settings),
        tests("ConcurrencySupportTests", ["ConcurrencySupport"]),
        tests("ChildProcessesTests", ["ChildProcesses", "ConcurrencySupport"]),
        tests("ConfigReadingTests", ["ConfigReading"]),
        tests("ObservabilityTests", ["Observability", "ConcurrencySupport", "HTTPServing", "HTTPCore"]),
        tests("LifecycleTests", ["Lifecycle", "ConcurrencySupport", "Observability"]),
        tests("CryptographyTests", ["Cryptography", "ConcurrencySupport", "ConfigReading"]),
        tests("ArchivingTests", ["Archiving", "ConcurrencySupport"]),
        tests("HTTPCoreTests", ["HTTPCore"]),
        tests("HTTPServingTests", ["HTTPServing", "HTTPCore", "Lifecycle", "ConcurrencySupport"]),
        tests("HTTPCallingTests", ["HTTPCalling", "HTTPCore", "HTTPServing", "Lifecycle", "ConcurrencySupport"]),
        tests("PostgresStoreTests", ["PostgresStore", "Lifecycle", "ConcurrencySupport", "ConfigReading"]),
        tests("MessagingTests", ["Messaging", "PostgresStore", "Lifecycle", "ConcurrencySupport", "ConfigReading"]),
        tests("JobsTests", ["Jobs", "PostgresStore", "Lifecycle", "ConcurrencySupport"]),
        tests("ServiceDefaultsTests", serviceTestDependencies),
        tests("GatewayBFFTests", serviceTestDependencies + ["GatewayBFF"]),
        tests("OrchestrationServiceTests", serviceTestDependencies + ["OrchestrationService"]),
        tests("AgentCenterTests", serviceTestDependencies + ["AgentCenter"]),
        tests("ContentCenterTests", serviceTestDependencies + ["Archiving", "ContentCenter", "ChildProcesses", "Sandbox"]),
        tests("DeliveryConnectorDouyinTests", serviceTestDependencies + ["DeliveryConnectorDouyin"]),
        tests("SandboxTests", ["Sandbox", "ConcurrencySupport", "HTTPCalling", "HTTPCore", "Lifecycle"]),
        // A test target that imports the executables must list all five itself.
        tests(
            "ContractTests",
            serviceTestDependencies + [
                "GatewayBFF", "OrchestrationService", "AgentCenter", "ContentCenter", "DeliveryConnectorDouyin",
            ]),
        tests("FlowTests", serviceTestDependencies),
    ]
)

var serviceTestDependencies: [Target.Dependency] {
    [
        "ConcurrencySupport", "ConfigReading", "Cryptography", "DTO", "HTTPCalling", "HTTPCore", "HTTPServing", "Jobs",
        "Lifecycle", "Messaging", "Observability", "PostgresStore", "ServiceDefaults",
    ]
}
