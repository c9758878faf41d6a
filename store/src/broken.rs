//! `broken!(Mutation)`: true where a test has broken the engine on purpose; the constant `false` in every product.

#[cfg(feature = "testing")]
macro_rules! broken {
    ($mutation:ident) => {
        $crate::testing::Mutation::$mutation.is_on()
    };
}

#[cfg(not(feature = "testing"))]
macro_rules! broken {
    ($mutation:ident) => {
        false
    };
}
