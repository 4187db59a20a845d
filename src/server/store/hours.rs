//! The last hour that servers of this store saw: `clock/{hour}`, one object an hour, the older ones removed.

use object_store::PutPayload;

use super::{BlobStore, ObjectKind, StoreFault};

impl BlobStore {
    /// The last hour noted; `None` in a new store.
    ///
    /// # Errors
    /// [`StoreFault`].
    pub(crate) async fn last_hour(&self) -> Result<Option<u32>, StoreFault> {
        Ok(self.hours().await?.into_iter().max())
    }

    /// Notes that `hour` was seen, and forgets the others: those before it, and those after it too when the operator
    /// says that the clock is right.
    ///
    /// # Errors
    /// [`StoreFault`].
    pub(crate) async fn note_hour(
        &self,
        hour: u32,
        clock_is_right: bool,
    ) -> Result<(), StoreFault> {
        let name = |hour: u32| ObjectKind::Clock.all().join(hour.to_string());
        let hours = self.hours().await?;
        if !hours.contains(&hour) {
            self.objects
                .put(name(hour), PutPayload::new(), None)
                .await?;
        }
        for other in hours {
            if other < hour || (other > hour && clock_is_right) {
                self.objects.delete(name(other), None).await?;
            }
        }
        Ok(())
    }

    async fn hours(&self) -> Result<Vec<u32>, StoreFault> {
        let noted = self.objects.list(ObjectKind::Clock.all()).await?;
        Ok(noted
            .iter()
            .filter_map(|object| object.location.filename()?.parse().ok())
            .collect())
    }
}
