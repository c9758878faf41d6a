//! Many signatures verified at once, in a third of the time of one after the other
//! (`cargo bench -p holdfast-core --bench ingest verify_signatures`).

use ed25519_zebra::batch::{Item, Verifier};
use rand_core::CryptoRng;

use super::{Body, DeviceKey, Transaction, TransactionError, signed_bytes};

/// Signatures that are to be verified together.
#[derive(Default)]
pub struct Signatures {
    /// None where one look was enough to see that it is wrong.
    items: Vec<Option<Item>>,
}

impl Signatures {
    /// Adds a transaction's, which `key` should have made. Gives the place of the answer among those of [`verify`](Self::verify).
    pub fn add(&mut self, transaction: &Transaction, body: &Body, key: &DeviceKey) -> Result<usize, TransactionError> {
        if key.device() != body.device {
            return Err(TransactionError::Key(body.device));
        }
        let item = key.question(&signed_bytes(&transaction.body), &transaction.signature);
        self.items.push(item);
        Ok(self.items.len() - 1)
    }

    /// Which are right, in the order in which they were added: the same as [`Transaction::verify`] says of each.
    ///
    /// `random` must be a surprise to those who signed: what they know in advance they can make false signatures for that outweigh
    /// each other. Where not all are right together, each is verified alone.
    pub fn verify(self, random: &mut impl CryptoRng) -> Vec<bool> {
        let mut together = Verifier::new();
        for item in self.items.iter().flatten() {
            together.queue(item.clone());
        }
        if together.verify(random).is_ok() {
            return self.items.iter().map(Option::is_some).collect();
        }
        let alone = |item: Option<Item>| item.is_some_and(|item| item.verify_single().is_ok());
        self.items.into_iter().map(alone).collect()
    }
}

#[cfg(test)]
mod tests {
    use curve25519_dalek::Scalar;
    use ed25519_dalek::SigningKey;
    use getrandom::{SysRng, rand_core::UnwrapErr};
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::ids::{DeviceId, Timestamp, TransactionId, UserId};

    struct Maker {
        signer: SigningKey,
        key: DeviceKey,
    }

    fn maker(seed: u8) -> Maker {
        let signer = SigningKey::from_bytes(&[seed; 32]);
        let key = DeviceKey::new(&signer.verifying_key().to_bytes());
        Maker { signer, key }
    }

    impl Maker {
        fn sign(&self, number: u128) -> (Body, Transaction) {
            let body = Body {
                id: TransactionId(Uuid::from_u128(number)),
                schema_version: 1,
                user: UserId(Uuid::from_u128(1)),
                device: self.key.device(),
                time: Timestamp(0),
                offline: false,
                command: "editRow".to_owned(),
                first: None,
                changes: Vec::new(),
            };
            let transaction = Transaction::sign(&body, Vec::new(), &self.signer);
            (body, transaction)
        }
    }

    fn together(made: &[(&DeviceKey, Body, Transaction)]) -> Vec<bool> {
        let mut signatures = Signatures::default();
        for (at, (key, body, transaction)) in made.iter().enumerate() {
            assert_eq!(signatures.add(transaction, body, key), Ok(at));
        }
        signatures.verify(&mut UnwrapErr(SysRng))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Whatever is wrong with some, each is told what it would be told alone.
        #[test]
        fn together_each_is_told_what_it_is_told_alone(
            plan in prop::collection::vec((0..3_u8, prop::option::weighted(0.1, (0..64_usize, 0..8_u8))), 0..40),
        ) {
            let makers = [maker(1), maker(2), maker(3)];
            let mut made = Vec::new();
            for (number, (by, damage)) in plan.into_iter().enumerate() {
                let maker = &makers[usize::from(by)];
                let (body, mut transaction) = maker.sign(number as u128);
                if let Some((byte, bit)) = damage {
                    transaction.signature[byte] ^= 1 << bit;
                }
                made.push((&maker.key, body, transaction));
            }
            let alone: Vec<bool> =
                made.iter().map(|(key, body, transaction)| transaction.verify(body, key).is_ok()).collect();
            prop_assert_eq!(together(&made), alone);
        }
    }

    #[test]
    fn nothing_to_verify_is_nothing_wrong() {
        assert_eq!(together(&[]), Vec::<bool>::new());
    }

    #[test]
    fn a_key_of_another_device_is_told_at_once() {
        let (body, transaction) = maker(1).sign(1);
        let said = Signatures::default().add(&transaction, &body, &maker(2).key);
        assert_eq!(
            said,
            Err(TransactionError::Key(DeviceId::of_public_key(
                &maker(1).signer.verifying_key().to_bytes()
            )))
        );
    }

    /// What one has too much the other has too little: only the random factors tell.
    #[test]
    fn false_signatures_that_outweigh_each_other_are_refused() {
        let maker = maker(1);
        let shifted = |number, by: Scalar| {
            let (body, mut transaction) = maker.sign(number);
            let s: [u8; 32] = transaction.signature[32..].try_into().expect("half of a signature");
            let s = Scalar::from_canonical_bytes(s).expect("less than the order") + by;
            transaction.signature[32..].copy_from_slice(s.as_bytes());
            (&maker.key, body, transaction)
        };
        let made = [
            shifted(1, Scalar::ONE),
            shifted(2, -Scalar::ONE),
            shifted(3, Scalar::ZERO),
        ];
        assert_eq!(together(&made), [false, false, true]);
    }
}
