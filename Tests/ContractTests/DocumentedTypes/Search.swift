import DTO
import HTTPCore

/// Finding what there is: content-center.
extension DocumentedTypes {
    static let search: Types = [
        "SearchAnswer": SearchAnswer.self, "SearchCorrection": SearchCorrection.self, "SearchFacets": SearchFacets.self,
        "SearchFacetValue": SearchFacetValue.self, "SearchHit": SearchHit.self, "SearchTextPart": SearchTextPart.self,
        "SemanticSearchAnswer": SemanticSearchAnswer.self, "SemanticSearchHit": SemanticSearchHit.self,
        "SemanticQuery": SemanticQuery.self, "SemanticPending": SemanticPending.self, "SemanticText": SemanticText.self,
        "SemanticVectors": SemanticVectors.self, "SemanticVector": SemanticVector.self,
    ]
}
