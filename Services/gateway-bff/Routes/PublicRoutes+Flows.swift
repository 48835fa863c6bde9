import HTTPCore
import ServiceDefaults

/// The flows: each goes to orchestration-service, which knows the business.
extension PublicRoutes {
    /// As much as orchestration reads of a brief: whatever its rules allow, however it is written in JSON (`TextBrief.largestRequest`).
    static let wholeBrief = 640 << 10

    static let flows = [
        PublicRoute(
            method: .post, path: "/api/titles", flow: "TitleGeneration", access: .member(.generateTitles),
            target: .upstream(.orchestrationService, path: "/v1/titles"), rateClass: .generate, idempotency: .optional,
            isFoundAgain: true, maximumBodyBytes: wholeBrief),
        PublicRoute(
            method: .post, path: "/api/copies", flow: "CopyGeneration", access: .member(.generateCopies),
            target: .upstream(.orchestrationService, path: "/v1/copies"), rateClass: .generate, idempotency: .optional,
            isFoundAgain: true, maximumBodyBytes: wholeBrief),
        PublicRoute(
            method: .post, path: "/api/image-texts", flow: "ImageTextCreation", access: .member(.generateImageTexts),
            target: .upstream(.orchestrationService, path: "/v1/image-texts"), rateClass: .generate, idempotency: .optional,
            isFoundAgain: true, maximumBodyBytes: wholeBrief),
        PublicRoute(
            method: .post, path: "/api/contents/{id}/pictures", flow: "ImageTextCreation", access: .member(.generateImageTexts),
            target: .upstream(.orchestrationService, path: "/v1/contents/{id}/pictures"), rateClass: .generate,
            idempotency: .optional, isFoundAgain: true),
        PublicRoute(
            method: .post, path: "/api/video-scripts", flow: "VideoScriptGeneration", access: .member(.generateVideoScripts),
            target: .upstream(.orchestrationService, path: "/v1/video-scripts"), rateClass: .generate, idempotency: .optional,
            isFoundAgain: true, maximumBodyBytes: wholeBrief),
    ]

    /// A text written again as its editor wants it: the flows' work on contents.
    static let regeneration = [
        PublicRoute(
            method: .post, path: "/api/contents/{id}/regenerate", flow: "ContentRegeneration", access: .member(.writeContents),
            target: .upstream(.orchestrationService, path: "/v1/contents/{id}/regenerate"), rateClass: .generate,
            idempotency: .optional, isFoundAgain: true)
    ]

    /// The words that a tenant set for all its texts.
    static let vocabulary = ["brand-words", "banned-words"].flatMap { list in
        let (path, inner) = ("/api/vocabulary/\(list)", "/v1/vocabulary/\(list)")
        return [
            PublicRoute(
                method: .get, path: path, flow: "Vocabulary", access: .member(.readVocabulary),
                target: .upstream(.orchestrationService, path: inner), rateClass: .read),
            // 10,000 words of 50 characters.
            PublicRoute(
                method: .put, path: path, flow: "Vocabulary", access: .member(.writeVocabulary),
                target: .upstream(.orchestrationService, path: inner), rateClass: .write, isFoundAgain: true,
                maximumBodyBytes: 2 << 20),
            PublicRoute(
                method: .put, path: path + "/{word}", flow: "Vocabulary", access: .member(.writeVocabulary),
                target: .upstream(.orchestrationService, path: inner + "/{word}"), rateClass: .write, isFoundAgain: true),
            PublicRoute(
                method: .delete, path: path + "/{word}", flow: "Vocabulary", access: .member(.writeVocabulary),
                target: .upstream(.orchestrationService, path: inner + "/{word}"), rateClass: .write),
        ]
    }

    /// What is going on in the flows.
    static let runs = [
        PublicRoute(
            method: .get, path: "/api/runs", flow: "Runs", access: .member(.readRuns),
            target: .upstream(.orchestrationService, path: "/v1/runs"), rateClass: .read),
        PublicRoute(
            method: .get, path: "/api/runs/{id}", flow: "Runs", access: .member(.readRuns),
            target: .upstream(.orchestrationService, path: "/v1/runs/{id}"), rateClass: .read),
        PublicRoute(
            method: .post, path: "/api/runs/{id}/cancel", flow: "Runs", access: .member(.cancelRuns),
            target: .upstream(.orchestrationService, path: "/v1/runs/{id}/cancel"), rateClass: .write, isFoundAgain: true),
        PublicRoute(
            method: .post, path: "/api/runs/{id}/retry", flow: "Runs", access: .member(.cancelRuns),
            target: .upstream(.orchestrationService, path: "/v1/runs/{id}/retry"), rateClass: .write, idempotency: .optional,
            isFoundAgain: true),
    ]
}
