//! Who gives the command, when, and where new ids come from: all that the engine may not find out by itself.

use uuid::Uuid;

use crate::{
    command::{CommandError, draft::Draft, record::Record},
    ids::{Timestamp, UserId},
    schema::Schema,
};

/// See the module.
pub struct Maker<'m> {
    /// The person.
    pub user: UserId,
    /// The time on the device.
    pub now: Timestamp,
    /// Gives a new UUID (v7) each time.
    pub new_id: &'m mut dyn FnMut() -> Uuid,
}

impl Draft<'_, '_> {
    /// The maker's row in `staff`, if there is one.
    pub fn maker_as_staff(&self) -> Result<Option<Record>, CommandError> {
        Ok(self
            .find("staff", &[("user_id", self.maker.user.into())])?
            .into_iter()
            .next())
    }

    /// True if the maker has this role.
    pub fn maker_is(&self, role: &str) -> Result<bool, CommandError> {
        let users = Schema::hospital().expect("users");
        let user = self.row_if_any(users, crate::ids::RowId(self.maker.user.0))?;
        Ok(user.is_some_and(|user| user.text("role") == role))
    }
}
