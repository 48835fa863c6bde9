public import HTTPCore

/// The language of the request that is being served, so that upstreams write their problems in it.
public enum CallerLanguage {
    @TaskLocal public static var current: LocalizedText.Language = .zh
}
