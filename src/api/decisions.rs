//! Why a decision comes out as it does, and what a proposed change would do.

mod wire;

use poem_openapi::{OpenApi, payload::Json};

use self::wire::{ExplainDecision, Explained, Foreseen, SimulateChanges, SimulateRules, Simulated};
use super::{Face, Tag};
use crate::{decisions, edge::ApiResult, types::Caller};

/// The operations.
pub struct Decisions(pub Face);

#[OpenApi(prefix_path = "/v1", tag = "Tag::Policy")]
impl Decisions {
    /// Why a call is let through or refused, for somebody of the organisation that the session is in, an operation, and
    /// an object: which roles they hold and by which way, which rule decides, what it would take, and what else a call
    /// has to pass.
    ///
    /// It says what the guard would decide now. Of a refusal it can be asked by the id of its request, as the record has
    /// it: of several alike in two seconds that is the first one's.
    #[oai(path = "/rbac/explain", method = "post", operation_id = "rbac_explain")]
    async fn explain(&self, caller: Caller, body: Json<ExplainDecision>) -> ApiResult<Json<Explained>> {
        let explanation = decisions::explain(&self.0.gate.app, &caller, body.0.try_into()?).await?;
        Ok(Json(Explained::of(explanation)))
    }

    /// What proposed changes would do in the organisation that the session is in: who would gain which operations, who
    /// would lose which, and how often they used or were refused them lately. Nothing is changed.
    ///
    /// The changes are looked at together, in their order: at most 50, which touch at most 5,000 people. Counts are kept
    /// for 90 days; what an instance counted in its last seconds is lost when it is killed.
    #[oai(path = "/rbac/simulate", method = "post", operation_id = "rbac_simulate")]
    async fn simulate(&self, caller: Caller, body: Json<SimulateChanges>) -> ApiResult<Json<Simulated>> {
        let (changes, days, most) = body.0.parse()?;
        let simulated = decisions::simulate(&self.0.gate.app, &caller, &changes, days, most).await?;
        Ok(Json(simulated.into()))
    }

    /// What other rules for some operations would do in every organisation, in numbers: how many would gain or lose what,
    /// and how much they used it lately. Nothing is changed, and nobody is named.
    ///
    /// A page leaves out the organisations in which nothing would be different, so it can be shorter than its limit, even
    /// empty, and not be the last.
    #[oai(path = "/rbac/policies/simulate", method = "post", operation_id = "rbac_policies_simulate")]
    async fn foresee(&self, caller: Caller, body: Json<SimulateRules>) -> ApiResult<Json<Foreseen>> {
        let (rules, days, page) = body.0.parse()?;
        let foreseen = decisions::foresee(&self.0.gate.app, &caller, &rules, days, page).await?;
        Ok(Json(foreseen.into()))
    }
}
