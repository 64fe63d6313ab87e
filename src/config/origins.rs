//! The origins whose pages may call the API from a browser (NET-3).

use url::Url;

use super::values::Setting;

/// Origins of others, as browsers write them in `Origin`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origins {
    /// These, and no other; without any, none.
    These(Vec<String>),
    /// `*`: any page at all. Production refuses it.
    Any,
}

impl Default for Origins {
    fn default() -> Self {
        Self::These(Vec::new())
    }
}

impl Origins {
    /// Those that are named.
    pub fn named(&self) -> &[String] {
        match self {
            Self::These(origins) => origins,
            Self::Any => &[],
        }
    }
}

/// Origins, separated by commas, or `*`.
impl Setting for Origins {
    fn parse(text: &str) -> Result<Self, String> {
        if text.trim() == "*" {
            return Ok(Self::Any);
        }
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        parts.map(origin).collect::<Result<_, _>>().map(Self::These)
    }

    fn show(&self) -> String {
        match self {
            Self::These(origins) => origins.join(", "),
            Self::Any => "*".to_owned(),
        }
    }
}

fn origin(text: &str) -> Result<String, String> {
    if text.contains('*') {
        return Err(format!("has a wildcard ({text}); name each origin, for example https://app.example.com"));
    }
    let wrong = || {
        format!(
            "has a part that is no origin ({text}); write scheme, host and port, for example https://app.example.com"
        )
    };
    let url = Url::parse(text).map_err(|_| wrong())?;
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none() && !text.ends_with('/');
    let anonymous = url.username().is_empty() && url.password().is_none();
    match matches!(url.scheme(), "http" | "https") && bare && anonymous {
        // As browsers write it: lower case, in ASCII, without the scheme's own port (RFC 6454, 6.2).
        true => Ok(url.origin().ascii_serialization()),
        false => Err(wrong()),
    }
}
