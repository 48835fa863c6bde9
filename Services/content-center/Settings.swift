import ConfigReading
import ServiceDefaults

/// What this service reads from its environment: the common keys, see ``CommonSettings``.
struct Settings: ServiceSettings {
    let common: CommonSettings

    init(from reader: inout EnvironmentReader) {
        common = CommonSettings(for: Application.name, from: &reader)
    }
}
