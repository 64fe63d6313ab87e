// A mail server that keeps what it is handed: one line of JSON on the standard output for each event.
// It ends when its standard input does, and so with the test that started it.
//
//   node smtp.mjs '{"key": "…", "cert": "…", "user": "…", "password": "…", "pause": 20}'
//
// With a key it offers STARTTLS, and with a user it wants them to sign in, after TLS only. `pause` is how many
// milliseconds it thinks about each message. A recipient's name decides what becomes of their mail:
//   gone@…    refused for good (550)
//   busy@…    refused for the moment the first time (451), taken afterwards
import { SMTPServer } from "smtp-server";

const settings = JSON.parse(process.argv[2] ?? "{}");
const refusedOnce = new Set();

function tell(event) {
    process.stdout.write(`${JSON.stringify(event)}\n`);
}

function refusal(responseCode, text) {
    return Object.assign(new Error(text), { responseCode });
}

const server = new SMTPServer({
    key: settings.key,
    cert: settings.cert,
    hideSTARTTLS: !settings.key,
    authOptional: !settings.user,
    disabledCommands: settings.user ? [] : ["AUTH"],
    disableReverseLookup: true,
    onAuth(auth, _session, done) {
        const right = auth.username === settings.user && auth.password === settings.password;
        done(right ? null : refusal(535, "5.7.8 Authentication credentials invalid"), { user: auth.username });
    },
    onRcptTo({ address }, _session, done) {
        const name = address.split("@")[0];
        const busy = name === "busy" && !refusedOnce.has(address);
        const code = name === "gone" ? 550 : busy ? 451 : 0;
        if (code === 0) {
            done();
            return;
        }
        refusedOnce.add(address);
        tell({ event: "refused", to: address, code });
        done(refusal(code, `${code === 550 ? "5.1.1" : "4.2.0"} <${address}> not now`));
    },
    onData(stream, session, done) {
        const chunks = [];
        stream.on("data", (chunk) => chunks.push(chunk));
        stream.on("end", () => {
            tell({
                event: "message",
                to: session.envelope.rcptTo.map((recipient) => recipient.address).join(),
                secure: session.secure,
                user: session.user ?? null,
                text: Buffer.concat(chunks).toString(),
            });
            setTimeout(done, settings.pause ?? 0);
        });
    },
});
// Clients that are killed in the middle are part of the stories.
server.on("error", () => {});
server.listen(0, "127.0.0.1", () => tell({ event: "listening", port: server.server.address().port }));
process.stdin.resume().on("end", () => process.exit());
