//! The macro that makes functions of the texts in `assets/l10n`.

/// Makes one function of each text that it lists, named like the text's id, and `DECLARED`, the list itself, which a test
/// compares with the file of every language.
///
/// ```text
/// text_table! {
///     lines {
///         share;                      // pub(crate) fn share() -> &'static str
///         goes_to(host: &str);        // pub(crate) fn goes_to(host: &str) -> String
///     }
///     messages {                      // Attributes .what, .why and .next of one id.
///         file_missing(name: &str);   // pub(crate) fn file_missing(name: &str) -> UserMessage
///     }
///     pairs {                         // A title, and its explanation under the same id with `_about` behind it.
///         mask_pointers;              // pub(crate) fn mask_pointers() -> (&'static str, &'static str)
///     }
/// }
/// ```
///
/// What is filled into a text has the name of its argument.
macro_rules! text_table {
    (
        lines { $($line:ident $(($($line_arg:ident: $line_type:ty),+))?;)* }
        messages { $($message:ident $(($($message_arg:ident: $message_type:ty),+))?;)* }
        $(pairs { $($pair:ident;)* })?
    ) => {
        $($crate::app::words::text_table::text_table! {
            @line $line $($($line_arg: $line_type),+)?
        })*
        $($crate::app::words::text_table::text_table! {
            @message $message ($($($message_arg: $message_type),+)?)
        })*
        $($($crate::app::words::text_table::text_table! { @pair $pair })*)?

        /// Every text of this table.
        #[cfg(test)]
        pub(crate) const DECLARED: &[$crate::app::words::text_table::DeclaredText] = {
            use $crate::app::words::text_table::{DeclaredText, TextForm};
            &[
                $(DeclaredText {
                    id: stringify!($line),
                    form: TextForm::Line,
                    arguments: &[$($(stringify!($line_arg)),+)?],
                },)*
                $(DeclaredText {
                    id: stringify!($message),
                    form: TextForm::Message,
                    arguments: &[$($(stringify!($message_arg)),+)?],
                },)*
                $($(DeclaredText {
                    id: stringify!($pair),
                    form: TextForm::Pair,
                    arguments: &[],
                },)*)?
            ]
        };
    };
    (@line $id:ident) => {
        #[doc = concat!("The text `", stringify!($id), "`.")]
        #[must_use]
        pub(crate) fn $id() -> &'static str {
            $crate::app::words::l10n::say(stringify!($id))
        }
    };
    (@line $id:ident $($arg:ident: $type:ty),+) => {
        #[doc = concat!("The text `", stringify!($id), "`, filled in.")]
        #[must_use]
        pub(crate) fn $id($($arg: $type),+) -> String {
            $crate::app::words::l10n::tell(stringify!($id), &[$((stringify!($arg), $arg.into())),+])
        }
    };
    (@message $id:ident ($($arg:ident: $type:ty),*)) => {
        #[doc = concat!("The message `", stringify!($id), "`.")]
        #[must_use]
        pub(crate) fn $id($($arg: $type),*) -> $crate::app::words::message::UserMessage {
            $crate::app::words::message::message(
                stringify!($id),
                &[$((stringify!($arg), $arg.into())),*],
            )
        }
    };
    (@pair $id:ident) => {
        #[doc = concat!("The title `", stringify!($id), "` and its explanation.")]
        #[must_use]
        pub(crate) fn $id() -> (&'static str, &'static str) {
            use $crate::app::words::l10n::say;
            (say(stringify!($id)), say(concat!(stringify!($id), "_about")))
        }
    };
}
pub(crate) use text_table;

/// A text as its table declares it.
#[cfg(test)]
pub(crate) struct DeclaredText {
    pub(crate) id: &'static str,
    pub(crate) form: TextForm,
    /// Names of what is filled in.
    pub(crate) arguments: &'static [&'static str],
}

/// What an id stands for.
#[cfg(test)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TextForm {
    /// One text.
    Line,
    /// Three sentences: attributes `.what`, `.why` and `.next`.
    Message,
    /// Two texts: a title, and its explanation under the id with `_about` behind it.
    Pair,
}
