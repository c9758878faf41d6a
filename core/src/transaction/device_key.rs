//! A device's public key, read once for all that the device signed.
//!
//! A signature is right by the rule of [ZIP 215](https://zips.z.cash/zip-0215), the equation of RFC 8032, 5.1.7 times the
//! cofactor: the one of its rules by which many signatures verified at once are right exactly where each alone is. Points of
//! small order and encodings that are not canonical are refused besides, as dalek's `verify_strict` does.

use ed25519_dalek::{PUBLIC_KEY_LENGTH, VerifyingKey};
use ed25519_zebra::{Signature, VerificationKey, VerificationKeyBytes, batch};

use crate::ids::DeviceId;

/// Every y of the eight points whose order divides the curve's cofactor, encoded without the sign of x.
const SMALL_ORDER: [[u8; 32]; 5] = {
    let eighth = *b"\xc7\x17\x6a\x70\x3d\x4d\xd8\x4f\xba\x3c\x0b\x76\x0d\x10\x67\x0f\x2a\x20\x53\xfa\x2c\x39\xcc\xc6\x4e\xc7\xfd\x77\x92\xac\x03\x7a";
    let other = *b"\x26\xe8\x95\x8f\xc2\xb2\x27\xb0\x45\xc3\xf4\x89\xf2\xef\x98\xf0\xd5\xdf\xac\x05\xd3\xc6\x33\x39\xb1\x38\x02\x88\x6d\x53\xfc\x05";
    let (mut one, mut minus_one) = ([0; 32], [0xff; 32]);
    one[0] = 1;
    (minus_one[0], minus_one[31]) = (0xec, 0x7f);
    [one, minus_one, [0; 32], eighth, other]
};

/// A device's public key (Ed25519).
#[derive(Clone, Copy, Debug)]
pub struct DeviceKey {
    device: DeviceId,
    /// None if nothing can be signed for it.
    key: Option<VerificationKey>,
}

impl DeviceKey {
    /// Reads a key. One that is no point of the curve, or of small order, verifies nothing.
    pub fn new(bytes: &[u8; PUBLIC_KEY_LENGTH]) -> Self {
        let weak = VerifyingKey::from_bytes(bytes).is_ok_and(|key| key.is_weak());
        let key = VerificationKey::try_from(*bytes).ok().filter(|_| !weak);
        Self {
            device: DeviceId::of_public_key(bytes),
            key,
        }
    }

    /// The device that it names.
    pub fn device(&self) -> DeviceId {
        self.device
    }

    /// Whether this is the device's signature of the message.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let read = self.read(signature);
        read.is_some_and(|(key, signature)| key.verify(&signature, message).is_ok())
    }

    /// The same question, to be asked together with others. None if the answer is no.
    pub(super) fn question(&self, message: &[u8], signature: &[u8]) -> Option<batch::Item> {
        let (key, signature) = self.read(signature)?;
        Some((VerificationKeyBytes::from(key), signature, message).into())
    }

    /// The key and a signature, if something can be signed by the one with the other.
    fn read(&self, signature: &[u8]) -> Option<(VerificationKey, Signature)> {
        let (key, signature) = (self.key?, Signature::from_slice(signature).ok()?);
        is_sound(*signature.r_bytes()).then_some((key, signature))
    }
}

/// Whether a point is of large order, and encoded as it should be. (An x of 0 has no sign, and is of small order.)
fn is_sound(mut point: [u8; 32]) -> bool {
    point[31] &= 0x7f;
    // The field's prime, 2^255 - 19, and more.
    let wraps = point[0] >= 0xed && point[1..31].iter().all(|byte| *byte == 0xff) && point[31] == 0x7f;
    !wraps && !SMALL_ORDER.contains(&point)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use curve25519_dalek::{EdwardsPoint, Scalar, constants::EIGHT_TORSION};
    use ed25519_dalek::{Signer, SigningKey, Verifier};
    use sha2::{Digest, Sha512};

    use super::*;

    fn strictly(key: &[u8; 32], message: &[u8], signature: &[u8]) -> bool {
        let read = (
            VerifyingKey::from_bytes(key),
            ed25519_dalek::Signature::from_slice(signature),
        );
        let (Ok(key), Ok(signature)) = read else { return false };
        key.verify_strict(message, &signature).is_ok()
    }

    fn small_order() -> [[u8; 32]; 8] {
        EIGHT_TORSION.map(|point| point.compress().to_bytes())
    }

    #[test]
    fn the_points_of_small_order_are_not_sound_and_no_others_of_their_y() {
        for mut point in small_order() {
            assert!(!is_sound(point), "{point:x?}");
            point[31] ^= 0x80;
            assert!(!is_sound(point), "{point:x?}");
        }
        let there: BTreeSet<_> = small_order()
            .map(|mut point| {
                point[31] &= 0x7f;
                point
            })
            .into();
        assert_eq!(there, BTreeSet::from(SMALL_ORDER));
    }

    #[test]
    fn a_signature_is_taken_that_dalek_takes_strictly_and_no_damaged_one() {
        let signer = SigningKey::from_bytes(&[7; 32]);
        let public = signer.verifying_key().to_bytes();
        let key = DeviceKey::new(&public);
        let signature = signer.sign(b"a message").to_bytes();
        assert!(key.verifies(b"a message", &signature));
        assert!(!key.verifies(b"another message", &signature));
        for i in 0..64 {
            let mut damaged = signature;
            damaged[i] ^= 1;
            assert!(!key.verifies(b"a message", &damaged), "byte {i}");
        }
        for length in [0, 63, 65] {
            assert!(!key.verifies(b"a message", &[1; 65][..length]));
        }
    }

    /// Points of small order make signatures that fit many messages: nobody could say who signed what.
    #[test]
    fn what_points_of_small_order_sign_is_refused_as_dalek_does_strictly() {
        let signer = SigningKey::from_bytes(&[9; 32]);
        let public = signer.verifying_key().to_bytes();
        let mut loosely = 0;
        for (n, point) in small_order().iter().enumerate() {
            for message in 0..64_u8 {
                let message = [message];
                // As keys: S = 0 and R = the key's own negative, or any other.
                for r in small_order() {
                    let signature = [r, [0; 32]].concat();
                    assert!(!DeviceKey::new(point).verifies(&message, &signature), "key {n}");
                    assert!(!strictly(point, &message, &signature), "key {n}");
                }
                // As R of an honest key: S = k·a fits where R is the neutral element.
                let signature = with_nonce_zero(&signer, point, &message);
                let read = ed25519_dalek::Signature::from_slice(&signature).expect("a signature");
                loosely += u32::from(signer.verifying_key().verify(&message, &read).is_ok());
                assert!(!DeviceKey::new(&public).verifies(&message, &signature), "R {n}");
                assert!(!strictly(&public, &message, &signature), "R {n}");
            }
        }
        assert_eq!(
            loosely, 64,
            "one that is not strict takes those with R = the neutral element"
        );
    }

    /// The one thing that is taken and dalek refuses strictly: only who has the key can make it, and many verified at once cannot
    /// tell it apart.
    #[test]
    fn a_point_of_small_order_added_to_that_of_a_signature_changes_nothing() {
        let signer = SigningKey::from_bytes(&[9; 32]);
        let public = signer.verifying_key().to_bytes();
        let key = DeviceKey::new(&public);
        let nonce = Scalar::from(77_u8);
        for torsion in EIGHT_TORSION {
            let point = (EdwardsPoint::mul_base(&nonce) + torsion).compress().to_bytes();
            let signature = signed_with(&signer, nonce, &point, b"a message");
            assert!(key.verifies(b"a message", &signature));
            assert!(!key.verifies(b"another message", &signature));
            let neutral = torsion == EIGHT_TORSION[0];
            assert_eq!(strictly(&public, b"a message", &signature), neutral);
        }
    }

    /// Their y is one of the nineteen that have two encodings.
    #[test]
    fn encodings_of_points_that_are_not_canonical_are_refused() {
        let mut refused = 0;
        for low in 0xec..=0xff {
            for sign in [0x7f, 0xff] {
                let mut point = [0xff; 32];
                (point[0], point[31]) = (low, sign);
                assert!(!is_sound(point), "{low:x} {sign:x}");
                point[17] = 0xfe;
                assert!(is_sound(point));
                point[17] = 0xff;
                let signer = SigningKey::from_bytes(&[9; 32]);
                let key = DeviceKey::new(&signer.verifying_key().to_bytes());
                let signature = signed_with(&signer, Scalar::ZERO, &point, b"a message");
                assert!(!key.verifies(b"a message", &signature), "{low:x} {sign:x}");
                let read = Signature::from_slice(&signature).expect("a signature");
                refused += u32::from(key.key.expect("a key").verify(&read, b"a message").is_ok());
            }
        }
        assert!(refused > 0, "the rule alone takes some of them");
    }

    /// A signature whose nonce is 0, with a point of the maker's choice.
    fn with_nonce_zero(signer: &SigningKey, point: &[u8; 32], message: &[u8]) -> Vec<u8> {
        signed_with(signer, Scalar::ZERO, point, message)
    }

    fn signed_with(signer: &SigningKey, nonce: Scalar, point: &[u8; 32], message: &[u8]) -> Vec<u8> {
        let public = signer.verifying_key().to_bytes();
        let k: [u8; 64] = Sha512::digest([point.as_slice(), &public, message].concat()).into();
        let s = nonce + Scalar::from_bytes_mod_order_wide(&k) * signer.to_scalar();
        [point.as_slice(), s.as_bytes()].concat()
    }
}
