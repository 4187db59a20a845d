//! The texts of the window alone.

use crate::app::words::text_table::text_table;

text_table! {
    lines {
        // The window
        share;
        receive;
        settings;
        screen;
        drop_here;
        choose_or_paste;
        sealed_here;
        choose_files;
        drop_more;
        choose_more;
        built_in;
        built_in_stays;
        pointer;
        receive_title;
        receive_empty;
        download;
        clear;
        unnamed_file;
        transfers;
        cancel;
        copy_pointer;
        copy_local;
        copied;
        choose_server;
        retry;
        remove;
        more;
        remove_from_list;
        show_original;
        who_saw_what;
        qr;
        pointer_masked;
        pointer_text;
        pointer_copied;
        open;
        show_in_folder;
        verified;
        waiting;
        interrupted;
        failed;
        file_servers;
        file_servers_about;
        built_in_about;
        add_server;
        add;
        test;
        testing;
        in_use;
        use_it;
        relays_title;
        relays_about;
        no_relay_list;
        no_relay_list_about;
        from_its_server;
        relays_of(name: &str);
        choose_list;
        forget_list;
        downloads;
        downloads_about;
        change;
        appearance;
        theme;
        system;
        light;
        dark;
        contrast;
        language;
        motion;
        reduced;
        text_size;
        larger;
        smaller;
        privacy;
        about_and_licences;
        keys;
        normal;
        high;
        about;
        about_text;
        welcome;
        start;
        keep_running;
        stop_and_quit;
        closing_body;
        dismiss;
        no_display;

        // Options of a share, managing, relays
        keep_longer;
        downloads_so_far;
        delete_from_server;
        keep_it;
        delete_body;
        asking_server;
        gone;
        options;
        hide_options;
        keep_for;
        options_about;
        count_downloads;
        count_no;
        count_yes;
        use_senders_list;
        add_relay_list;
        proxy;
        proxy_about;
        use_proxy;
        forget_proxy;
        relay_line;
        relay_line_about;
        session_network;
        service_nodes;
        new_guard;
        show_relays;
        hide_relays;
        asking_relays;
        list_ended;
        list_missing;
        list_problem_many_gone;
        list_problem_no_answer;
        list_problem_no_list;
        list_problem_other;
        list_problem_refused;

        // History, opening files, notifications
        history_title;
        export_history;
        wipe_history;
        notify;
        notify_about;
        notify_names;
        notify_names_about;
        wipe_title;
        wipe_body;
        keep_history;
        open_program_title;
        open_program_why;
        open_anyway;
        do_not_open;

        // Sheets: who saw what, QR code, keys, licences
        close;
        recipient;
        sender;
        recipient_learns;
        sender_learns;
        you_know;
        tries;
        shown_about;
        shown_outcome(outcome: &str, about: &str);
        nothing_sent;
        qr_about;
        qr_masked;
        qr_too_long;
        shortcuts;
        anywhere;
        on_a_transfer;
        close_window;
        copy_of_row;
        escape;
        next_region;
        paste;
        paste_pointer;
        retry_failed;
        reset_zoom;
        show_keys;
        licences;
        licence_of_program;
        fonts;
        fonts_about;
        crates;
        crates_about;
        no_renderer(error: &str);
        no_window(error: &str);
        no_window_library(library: &str);
        closing_title(count: usize);

        // A running transfer: names of its steps under the bar, and what it is doing
        milestone_pad;
        milestone_seal;
        milestone_find_path;
        milestone_upload;
        milestone_stored;
        milestone_download;
        milestone_verify;
        milestone_open;
        milestone_save;
        stage_pad;
        stage_seal;
        stage_find_path;
        stage_find_path_slow(server: &str);
        stage_find_relays_slow;
        stage_connect_relay;
        stage_connect_relay_slow;
        stage_connect_server(server: &str);
        stage_connect_server_slow(server: &str);
        stage_upload(done: &str);
        stage_upload_slow(done: &str);
        stage_upload_slow_direct(done: &str, server: &str);
        stage_crossing(server: &str);
        stage_crossing_slow(server: &str);
        stage_asked(server: &str);
        stage_asked_slow(server: &str);
        stage_download(done: &str);
        stage_download_slow(done: &str, server: &str);
        stage_parts_sent(done: &str, total: &str);
        stage_parts_sent_slow(done: &str, total: &str);
        stage_parts_fetched(done: &str, total: &str);
        stage_parts_fetched_slow(done: &str, total: &str);
        stage_waiting(secs: u64, server: &str);
        stage_verify;
        stage_open;
        stage_save;

        // Rows and cards
        kept_until(day: &str);
        about_file(verb: &str, name: &str);
        progress_of(name: &str);
        goes_now(server: &str);
        goes_to(host: &str);
        comes_from(server: &str);
        will_be_saved_in(folder: &str);
        home_folder;
        saved_in(folder: &str);
        is_shared(name: &str);
        is_received(name: &str);
        has_failed(name: &str, what: &str);
        test_passed(upload: u64, download: u64);
        relays(count: usize);
        hover_title;
        hover_title_one(name: &str);
        hover_title_many(count: usize);

        // Managing a shared file
        delete_title(name: &str);
        managed_extended(day: &str);
        managed_not_extended(day: &str);
        kept_for(time: &str);

        // Relays in Settings
        list_fetched(when: &str);
        list_ends(when: &str);
        list_has_ended(when: &str);
        standing_former_guard(when: &str);
        standing_guard(day: &str);
        standing_guard_waiting(day: &str);
        standing_kept_back;
        standing_not_reached(when: &str);
        standing_strikes(when: &str);
        standing_usable;
        standing_worked(when: &str);

        // The history
        history_off;
        history_waiting;
        history_kept;
        history_session(why: &str);
        list_session(why: &str);
        keyring_missing;
        keyring_refused;
        keyring_silent;
        history_file_fails(why: &str);
        history_file_newer;
        file_is_damaged;
        file_is_newer;
        open_program(name: &str, why: &str);

        // What the desktop says when nobody looks at the window
        file_is_shared;
        has_arrived(name: &str);
        file_has_arrived;
        did_not_arrive(name: &str);
        file_did_not_arrive;
        notify_shared;
        notify_received;
        notify_failed;

        // Who saw what

        // Keys on a transfer
        row_key_arrows;
        row_key_enter;
        row_key_delete;
        row_key_menu;
        row_key_tab;

        // Settings: every relay list that is kept
        list_issued(when: &str);
        list_asked(when: &str);
        unnamed_list;
        other_lists;
        list_kept;
        list_accepted(servers: &str);

        // Settings, options and rows besides
        access_word;
        access_word_about;
        access_word_is_kept;
        enter_access_word;
        change_access_word;
        keep_access_word;
        forget_access_word;
        access_word_kept;
        access_word_forgotten;
        milestone_work;
        stage_work(done: &str);
        undo;
        undo_removal;
        undone;
        proxy_forgotten;
        relay_list_forgotten;
        removed(name: &str);
        removed_rows(count: usize);
        remedy_access_word;
        remedy_default_settings;
        settings_put_aside(path: &str);
        settings_not_saved;
        remedy_folder;
        remedy_options;
        remedy_paste;
        remedy_newer_list;
        remedy_relays;
        limit_of(size: &str);
        asks_work(bits: u8);
        clocks_differ;
        other_time_kept;
        kept_usual;
        usual_keep;
        usual_keep_of(time: &str);
        count_limit;
        count_limit_about;
        fewer_downloads;
        more_downloads;
        test_deleted(delete: u64);
        test_without_delete;
        was_kept_until(day: &str);
        filter_all;
        filter_shared;
        filter_received;
        show_earlier(count: usize);
        none_of_these;
        use_opened_pointer;
        keep_pointer;
        paste_here;
        advanced;
        display;
        renderer;
        automatic;
        at_next_start;
        parallel_shares;
        fewer_shares;
        more_shares;
        diagnostics_about;
        copy_diagnostics;
        server_passed;
        server_untried;
        keep_longer_about;
        received_here;
        dialog_share;
        dialog_folder;
        dialog_relay_list;
        dialog_export;

        // The chrome, Settings and sheets: places, states, what cannot be dropped
        add_this_server;
        add_this_list;
        direct_switch_off_about;
        server_is_added(name: &str);
        list_is_used(name: &str);
        proxy_is_used(name: &str);
        hover_list(name: &str);
        hover_network(name: &str);
        hover_pointer(name: &str);
        use_known_list;
        use_known_network;
        receive_known_file;
        share_known_file;
        note_this_computer;
        if_a_drop_fails;
        drop_promised;
        drop_elevated;

        // Rows: speed, headings, and what is said as they begin and stop
        is_so_far(name: &str, done: &str);
        is_cancelled(name: &str);
        kept_time_until(time: &str, day: &str);
        misleading_badge;
        rows_received;
        rows_shared;
        starts_again(count: usize);
        starts_receiving(name: &str);
        starts_sharing_one(name: &str);
        starts_sharing_many(count: usize);

        // Several things, large things, transfers in parts
        as_one;
        one_each;
        several_things;
        several_ask;
        several_as_one;
        several_one_each;
        choose_folder;
        dialog_share_folder;
        not_begun;
        pause;
        paused;
        paused_at(done: &str, total: &str);
        interrupted_at(done: &str, total: &str);
        resume;
        discard;
        discard_title(name: &str);
        discard_share;
        discard_download;
        discarding;
        discarded;
        some_left;
        is_paused(name: &str);
        is_discarded(name: &str);
        unnamed_folder;
        a_folder;
        show_content;
        looking_into;
        single_file;
        entries(count: u32);
        entries_wanted(wanted: u32, count: u32, size: &str);
        content_of(name: &str);
        want_all;
        want_none;
        empty_folder;
        and_more(names: &str);
        now_named(was: &str, is: &str);

        // Invitations and networks that were joined
        join_title(name: &str);
        join_trust;
        join_if;
        join_if_known(names: &str);
        join_words;
        join_own_network;
        join_as_member;
        join_member(name: &str);
        join_other(name: &str);
        join_rules;
        join;
        join_and_receive;
        join_anyway;
        not_now;
        keep_my_relays;
        replace_my_relays;
        joining_title(name: &str);
        joining_list;
        joining_try;
        is_invitation(name: &str, host: &str);
        is_joined(name: &str);
        network_saved(name: &str);
        joined_works;
        joined_receives;
        joined_silent;
        session_title;
        session_offer;
        session_open;
        session_ask;
        session_meaning;
        session_tried;
        session_joining;
        session_asks_seed;
        session_tries;
        session_works;
        network_from_file;
        other_network_meaning(host: &str);
        list_host_offer(host: &str);
        list_host_offer_proxy(host: &str);
        fetch_list_from(host: &str);
        done;
        to_the_pointer;
        share_files;
        invite_entry;
        rename_entry;
        leave_entry;
        invite_title(name: &str);
        invite_about;
        making_invitation;
        copy_invitation;
        save_invitation;
        invitation_saved(name: &str);
        invitation_copied;
        invitation_masked;
        invitation_text;
        copy_with_invitation;
        network_name;
        rename;
        is_renamed(name: &str);
        leave_title(name: &str);
        leave_deletable(count: usize);
        leave_under_way(count: usize);
        leave;
        delete_and_leave;
        stay;
        network_left(name: &str);
        network_relays(count: usize);
        network_list_good(day: &str);
        network_list_ended;
        no_newer_list;
        network_no_list;
        use_new_list;
        use_known_invitation;
    }
    messages {
        // Relays in Settings
        new_guard_refused;
        new_guard_nobody_left;

        // The history
        history_damaged(why: &str, path: &str);
        history_damaged_left(why: &str);
        history_no_key(path: &str);
        history_no_key_left;
        history_wiped;
        history_key_not_wiped(why: &str);
        history_file_not_wiped(why: &str);
        history_exported(count: usize);
        history_not_exported;
        saved_file_gone;

        // Notices
        drop_while_modal;
        pointer_opened;
        clipboard_empty;
        picture_not_taken;
        clipboard_refused;
        opener_failed;
        defect;
        no_network_for_list;
        relays_missing;
        file_missing(name: &str);
        files_missing(count: usize);
        entry_elsewhere(name: &str);
        entries_elsewhere(count: usize);

        // Errors: the person's own files and settings
        default_settings_used(why: &str);
        settings_read_again;

        // Settings, options and rows besides
        access_word_invalid;
        pointer_expired(day: &str);
        other_server(theirs: &str, chosen: &str);
        diagnostics_copied;
        no_dialogs;
        file_too_large_here(name: &str, length: u64, limit: u64);
        files_too_large_here(count: usize, limit: u64);

        // Settings: links
        links_refused;

        // The chrome, Settings and sheets: places, states, what cannot be dropped
        relay_list_dropped(name: &str);
        network_file_dropped(name: &str);
        pointer_file_dropped(name: &str);
        list_now_used(name: &str);
        list_ends_soon(name: &str, day: &str);
        dropped_no_file;
        no_dialog_for_list;
        no_dialog_for_folder;

        // Several things, large things, transfers in parts
        several_came(count: usize);
        large_share(size: &str, server: &str);
        large_download(size: &str, server: &str);
        things_left_out(count: u64, names: &str);
        names_changed(count: u64, names: &str);

        // Invitations and networks that were joined
        network_joined(name: &str);
        list_waits(gone: usize, before: usize);
        invitation_opened;
        invitation_not_saved;
        invitation_file_dropped(name: &str);
    }
    pairs {
        other_network;
        // The window
        name_in_pointer;
        copy_when_done;
        clear_clipboard;
        mask_pointers;

        // Options of a share, managing, relays
        list_in_pointer;
        tell_sender;
        direct_switch;


        // Sheets: who saw what, QR code, keys, licences
        welcome_drop;
        welcome_pointer;
        welcome_built_in;

        // Settings: every relay list that is kept
        short_list;

        // Settings: links
        open_links;

        // Several things, large things, transfers in parts
        keep_together;

        // Invitations and networks that were joined
        invite_with_word;
    }
}
