//! A device's public key, read once for all that the device signed.

use ed25519_dalek::{PUBLIC_KEY_LENGTH, Signature, Verifier, VerifyingKey};

use crate::ids::DeviceId;

/// The canonical encodings of the eight points whose order divides the curve's cofactor.
const SMALL_ORDER: [[u8; 32]; 8] = {
    let eighth = *b"\xc7\x17\x6a\x70\x3d\x4d\xd8\x4f\xba\x3c\x0b\x76\x0d\x10\x67\x0f\x2a\x20\x53\xfa\x2c\x39\xcc\xc6\x4e\xc7\xfd\x77\x92\xac\x03\x7a";
    let other = *b"\x26\xe8\x95\x8f\xc2\xb2\x27\xb0\x45\xc3\xf4\x89\xf2\xef\x98\xf0\xd5\xdf\xac\x05\xd3\xc6\x33\x39\xb1\x38\x02\x88\x6d\x53\xfc\x05";
    let (mut one, mut minus_one) = ([0; 32], [0xff; 32]);
    one[0] = 1;
    (minus_one[0], minus_one[31]) = (0xec, 0x7f);
    let zero = [0; 32];
    [
        one,
        minus_one,
        zero,
        mirrored(zero),
        eighth,
        mirrored(eighth),
        other,
        mirrored(other),
    ]
};

/// The point with the other x of the same y.
const fn mirrored(mut point: [u8; 32]) -> [u8; 32] {
    point[31] |= 0x80;
    point
}

/// A device's public key (Ed25519).
#[derive(Clone, Copy, Debug)]
pub struct DeviceKey {
    device: DeviceId,
    /// None if nothing can be signed for it.
    key: Option<VerifyingKey>,
}

impl DeviceKey {
    /// Reads a key. One that is no point of the curve, or of small order, verifies nothing.
    pub fn new(bytes: &[u8; PUBLIC_KEY_LENGTH]) -> Self {
        let key = VerifyingKey::from_bytes(bytes).ok();
        Self {
            device: DeviceId::of_public_key(bytes),
            key: key.filter(|key| !key.is_weak()),
        }
    }

    /// The device that it names.
    pub fn device(&self) -> DeviceId {
        self.device
    }

    /// True for exactly the signatures that dalek's `verify_strict` takes. That one reads the signature's point to see whether
    /// its order is small; but whatever is verified is, byte for byte, the canonical encoding of a point, so that comparing
    /// bytes says the same.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let (Some(key), Ok(signature)) = (&self.key, Signature::from_slice(signature)) else {
            return false;
        };
        key.verify(message, &signature).is_ok() && !SMALL_ORDER.contains(signature.r_bytes())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use curve25519_dalek::Scalar;
    use ed25519_dalek::{Signer, SigningKey};
    use sha2::{Digest, Sha512};

    use super::*;

    fn strictly(key: &[u8; 32], message: &[u8], signature: &[u8]) -> bool {
        let read = (VerifyingKey::from_bytes(key), Signature::from_slice(signature));
        let (Ok(key), Ok(signature)) = read else { return false };
        key.verify_strict(message, &signature).is_ok()
    }

    #[test]
    fn the_points_of_small_order_are_eight_and_all_are_weak() {
        assert_eq!(SMALL_ORDER.iter().collect::<BTreeSet<_>>().len(), 8);
        for point in SMALL_ORDER {
            let read = VerifyingKey::from_bytes(&point).expect("a point of the curve");
            assert!(read.is_weak(), "{point:x?}");
        }
    }

    #[test]
    fn a_signature_is_taken_if_dalek_takes_it_strictly() {
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
        for (n, point) in SMALL_ORDER.iter().enumerate() {
            for message in 0..64_u8 {
                let message = [message];
                // As keys: S = 0 and R = the key's own negative, or any other.
                for r in SMALL_ORDER {
                    let signature = [r, [0; 32]].concat();
                    assert!(!DeviceKey::new(point).verifies(&message, &signature), "key {n}");
                    assert!(!strictly(point, &message, &signature), "key {n}");
                }
                // As R of an honest key: S = k·a fits where R is the neutral element.
                let signature = with_nonce_zero(&signer, point, &message);
                let read = Signature::from_slice(&signature).expect("a signature");
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

    /// A signature whose nonce is 0, with a point of the maker's choice.
    fn with_nonce_zero(signer: &SigningKey, point: &[u8; 32], message: &[u8]) -> Vec<u8> {
        let public = signer.verifying_key().to_bytes();
        let k: [u8; 64] = Sha512::digest([point.as_slice(), &public, message].concat()).into();
        let s = Scalar::from_bytes_mod_order_wide(&k) * signer.to_scalar();
        [point.as_slice(), s.as_bytes()].concat()
    }
}
