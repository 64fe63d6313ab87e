//! The limit for reads: a poem handler that does nothing but return the same JSON.

use std::process::{Child, Command, Stdio};

use poem::{Route, Server, get, handler, http::header, listener::TcpListener};

/// What makes this program the bare server.
pub const ARGUMENT: &str = "bare-server";

/// The bare server, in a process of its own like the real one.
pub struct Bare {
    child: Child,
    /// Where it listens.
    pub url: String,
}

#[handler]
fn answer(json: poem::web::Data<&&'static str>) -> poem::Response {
    poem::Response::builder().header(header::CONTENT_TYPE, "application/json; charset=utf-8").body(**json)
}

/// Serves the JSON in this file until it is killed.
pub fn serve(arguments: &str) {
    let (port, file) = arguments.split_once(':').unwrap();
    let json: &'static str = Box::leak(std::fs::read_to_string(file).unwrap().into_boxed_str());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let routes = poem::EndpointExt::data(Route::new().at("/v1/me", get(answer)), json);
        Server::new(TcpListener::bind(format!("127.0.0.1:{port}"))).run(routes).await.unwrap();
    });
}

impl Bare {
    /// Starts it with this answer.
    pub async fn start(json: &str) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let file = std::env::temp_dir().join(format!("freehold-bench-{}.json", std::process::id()));
        std::fs::write(&file, json).unwrap();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg(ARGUMENT).arg(format!("{port}:{}", file.display())).stdin(Stdio::null());
        let child = command.spawn().unwrap();
        let url = format!("http://127.0.0.1:{port}/v1/me");
        for _ in 0..200 {
            if reqwest::get(&url).await.is_ok() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        std::fs::remove_file(file).unwrap();
        Self { child, url }
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
