//! The live stream: what comes into an organisation's record, as it comes (NET-12).

mod hub;
mod places;
mod socket;
mod wire;

use poem::{
    FromRequest, IntoResponse, Request, RequestBody, Response,
    http::{HeaderValue, header},
    web::websocket::{WebSocket, WebSocketConfig},
};
use poem_openapi::{
    ApiResponse, OpenApi,
    param::Query,
    registry::{MetaMediaType, MetaResponse, MetaResponses, Registry},
    types::Type,
};

pub(in crate::api) use self::places::{Full, Place};
pub use self::{
    hub::Hub,
    places::{Closed, Open},
};
use self::{socket::Socket, wire::EventMessage};
use super::{Face, Tag};
use crate::{
    audit::feed::Moment,
    edge::{ApiResult, guard::Authority, listener::Occupied, problem},
    error::{Code, Error, Fault},
    types::Caller,
};

/// The operations.
pub struct Events(pub Face);

/// The most bytes of a frame or a message of a client's, which has nothing to say but that it is there.
const MOST_BYTES: usize = 1024;

#[OpenApi(prefix_path = "/v1", tag = "Tag::Audit")]
impl Events {
    /// What comes into the record of the organisation that the caller is in, as it comes: a WebSocket (RFC 6455).
    ///
    /// The server sends text messages, each an `EventMessage`. First `hello`; then, as often as something happens,
    /// `entries` with new entries as `audit_list` shows them, within about a second of their commit. What one transaction
    /// wrote comes together, and what was written earlier but committed later comes later. Each `cursor` says how far the
    /// stream has come: whoever opens it again with the last one as `after`, at any instance, is sent what came in between,
    /// and nothing of what came before it. A message without a `cursor` is followed by more of the same; if the stream
    /// breaks off there, it is sent again, so leave out ids that you have. `gap` says that more has come than is sent (1,000
    /// entries at once, or a cursor older than a quarter of an hour): read it with `audit_list`. `still` comes when nothing
    /// else has for a while. A transaction that takes longer than ten minutes leaves its entries in the record only.
    ///
    /// The token has to be good when the stream begins, and comes in `Authorization` or the cookie, never in the address. The
    /// stream then lives as long as the session or the API key, whatever the age of the token. A stream that is opened
    /// with a cookie must come from Freehold's own pages. An account may have a few streams (429), an instance some more
    /// (503).
    ///
    /// Clients send nothing. The server asks by pings whether they are there. It closes with
    /// 1001 when it stops,
    /// 1003 when the client says something,
    /// 1009 when that is longer than 1 KiB or no WebSocket,
    /// 1013 when something went wrong on our side: come back with the cursor,
    /// 4401 when the session or the API key is over, the account blocked,
    /// 4403 when the caller has left the organisation or may not see its record any more,
    /// 4408 when the client has not answered a ping,
    /// 4409 when it does not take what it is sent.
    #[oai(path = "/events", method = "get", operation_id = "events_open")]
    async fn open(
        &self,
        caller: Caller,
        request: &Request,
        /// The last `cursor`, to go on from there. Without it the stream begins now.
        #[oai(validator(min_length = 1, max_length = 8192))]
        after: Query<Option<String>>,
    ) -> ApiResult<Opened> {
        let hub = &self.0.events;
        let Ok(handshake) = WebSocket::from_request(request, &mut RequestBody::default()).await else {
            return Ok(Opened(upgrade_required()));
        };
        let unknown = || Error::Invalid(vec![Fault::parameter("after", "format", "is no cursor of this stream")]);
        let after = after.0.as_deref().map(|text| Moment::parse(text).ok_or_else(unknown)).transpose()?;
        let occupied = request.data::<Occupied>().cloned();
        let authority = request.data::<Authority>().cloned();
        let authority = authority.ok_or_else(|| Error::internal("a socket outside the guard"))?;
        let socket = Socket { place: hub.place(&caller)?, hub: hub.clone(), authority, after, occupied };
        let tracked = hub.clone();
        let bounds = WebSocketConfig::default().max_message_size(Some(MOST_BYTES)).max_frame_size(Some(MOST_BYTES));
        let upgraded = handshake.config(bounds).on_upgrade(move |stream| tracked.track(socket.live(stream)));
        Ok(Opened(upgraded.into_response()))
    }
}

/// What a handshake is answered.
struct Opened(Response);

impl IntoResponse for Opened {
    fn into_response(self) -> Response {
        self.0
    }
}

impl ApiResponse for Opened {
    fn meta() -> MetaResponses {
        let switched = MetaResponse {
            description: "The connection is a WebSocket from here on, on which each text message of the server's is this.",
            status: Some(101),
            status_range: None,
            content: vec![MetaMediaType { content_type: "application/json", schema: EventMessage::schema_ref() }],
            headers: Vec::new(),
        };
        MetaResponses { responses: vec![switched] }
    }

    fn register(registry: &mut Registry) {
        EventMessage::register(registry);
    }
}

/// The answer to a request that is no beginning of a WebSocket (RFC 9110, 15.5.22).
fn upgrade_required() -> Response {
    let mut response = problem::answer(Error::Transport(Code::UpgradeRequired));
    for (name, value) in [(header::UPGRADE, "websocket"), (header::CONNECTION, "upgrade")] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
