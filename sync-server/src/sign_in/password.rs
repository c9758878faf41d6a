//! Passwords: argon2id, in PHC form. Hashing takes tens of milliseconds of a processor: run it on a thread for blocking work.

use std::sync::LazyLock;

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};

/// The shortest password that the command line gives.
pub const MIN_LENGTH: usize = 8;

/// What is checked where there is no account, so that the answer takes as long as where there is one.
static NOBODY: LazyLock<String> = LazyLock::new(|| hash("nobody's password"));

/// Hashes a password with a new salt.
pub fn hash(password: &str) -> String {
    Argon2::default()
        .hash_password(password.as_bytes())
        .expect("BUG: argon2 refused its own default parameters")
        .to_string()
}

/// True if it is the password. `None` stands for an account that isn't there or has no password: never true, but as slow.
pub fn verify(password: &str, hash: Option<&str>) -> bool {
    let known = hash.unwrap_or(&NOBODY);
    // A hash of another system, say from an import, is no hash of ours: nobody can sign in with it.
    let Ok(known) = PasswordHash::new(known) else {
        verify(password, None);
        return false;
    };
    let matches = Argon2::default().verify_password(password.as_bytes(), &known).is_ok();
    matches && hash.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_password_itself_is_verified() {
        let hash = hash("correct horse");
        assert!(hash.starts_with("$argon2id$"), "{hash}");
        assert!(verify("correct horse", Some(&hash)));
        assert!(!verify("correct horse ", Some(&hash)));
        assert!(!verify("nobody's password", None));
        assert!(!verify("!", Some("!")));
    }
}
