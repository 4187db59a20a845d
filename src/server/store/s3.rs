//! A bucket as a store: the client that speaks to it, bounded in time, asking for nothing but put, get, list and delete.

use std::{sync::Arc, time::Duration};

use object_store::{
    ClientConfigKey, ObjectStore, RetryConfig,
    aws::{AmazonS3Builder, AmazonS3ConfigKey, S3ConditionalPut},
    prefix::PrefixStore,
};

use super::OpenStoreError;

/// The objects under `prefix` of `bucket`; everything else is said by the usual environment variables.
pub(super) fn open(bucket: &str, prefix: &str) -> Result<Arc<dyn ObjectStore>, OpenStoreError> {
    // The client takes the process's TLS provider.
    drop(crate::wire::tls::provider());
    let plain = ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT"]
        .iter()
        .filter_map(|name| std::env::var(name).ok())
        .any(|endpoint| endpoint.starts_with("http://"));
    let client = AmazonS3ConfigKey::Client;
    let retry = RetryConfig {
        max_retries: 4,
        retry_timeout: Duration::from_secs(25),
        ..RetryConfig::default()
    };
    let mut builder = AmazonS3Builder::from_env();
    if plain {
        builder = builder.with_allow_http(true);
    }
    let objects = builder
        .with_bucket_name(bucket)
        .with_config(client(ClientConfigKey::ConnectTimeout), "5s")
        .with_config(client(ClientConfigKey::Timeout), "25s")
        .with_retry(retry)
        .with_conditional_put(S3ConditionalPut::Disabled)
        .with_disable_bulk_delete(true)
        .build()
        .map_err(|error| OpenStoreError::Bucket {
            bucket: bucket.to_owned(),
            cause: error.to_string(),
        })?;
    Ok(if prefix.is_empty() {
        Arc::new(objects)
    } else {
        Arc::new(PrefixStore::new(objects, prefix))
    })
}
