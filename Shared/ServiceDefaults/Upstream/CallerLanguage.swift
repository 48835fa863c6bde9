import HTTPCore

/// The language of the request that is being served, so that upstreams write their problems in it.
enum CallerLanguage {
    @TaskLocal static var current: LocalizedText.Language = .zh
}
