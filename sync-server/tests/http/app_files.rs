//! The ward app's files.

use crate::support::{Hospital, get};

#[test]
fn the_app_is_served_as_browsers_need_it() {
    let hospital = Hospital::on_sqlite();
    let app = hospital.app();
    std::fs::create_dir(app.join("assets")).unwrap();
    std::fs::write(app.join("assets/engine-abc.wasm"), b"\0asm").unwrap();
    std::fs::write(app.join("assets/app-abc.js"), "const answer = 42\n".repeat(100)).unwrap();
    std::fs::write(app.join("assets/app-abc.js.br"), b"packed before").unwrap();
    std::fs::write(app.join("service-worker.js"), "self.x = 1").unwrap();

    let page = hospital.get("/");
    assert!(page.text().contains("Holdfast"));
    assert_eq!(page.headers["cache-control"], "no-cache");
    assert!(page.headers["content-security-policy"].contains("'wasm-unsafe-eval'"));
    for (header, value) in [
        ("x-content-type-options", "nosniff"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-embedder-policy", "require-corp"),
    ] {
        assert_eq!(page.headers[header], value);
    }
    assert_eq!(
        hospital.get("/patients/17").text(),
        page.text(),
        "the app finds its own way"
    );

    let engine = hospital.get("/assets/engine-abc.wasm");
    assert_eq!(engine.headers["content-type"], "application/wasm");
    assert!(engine.headers["cache-control"].contains("immutable"));
    assert_eq!(hospital.get("/service-worker.js").headers["cache-control"], "no-cache");

    let missing = hospital.get("/assets/gone.js");
    assert_eq!(missing.error(), (404, "not_found".to_owned()));
    assert!(!missing.headers["cache-control"].contains("immutable"));
    for outside in [
        "/../Cargo.toml",
        "/%2e%2e/data/holdfast.sqlite",
        "/assets/../../data/holdfast.sqlite",
    ] {
        let answer = hospital.get(outside);
        assert!(!answer.text().contains("SQLite"), "{outside}");
    }

    let url = format!("{}/assets/app-abc.js", hospital.url);
    let packed = get(&url, &[("accept-encoding", "br")]);
    assert_eq!(packed.headers["content-encoding"], "br");
    assert_eq!(packed.body, b"packed before");
    let zipped = get(&url, &[("accept-encoding", "gzip")]);
    assert!(zipped.text().starts_with("const answer"), "packed on the fly");
}
