//! The texts that the window and the command line share: errors, who saw what, numbers and times.

use super::text_table::text_table;

text_table! {
    lines {
        // The window
        cancelled;

        // Options of a share, managing, relays
        copies_stay;
        count_about;
        list_maker_chooses;
        session_about;
        service_nodes_about;

        // Sheets: who saw what, QR code, keys, licences
        you;
        saw;
        did_not_see;
        perhaps_saw;
        saw_nothing;
        ended_before;

        // Sizes, days, shares of a whole
        percent(number: u64);
        decimal(whole: &str, tenth: &str);
        thousands;
        list_comma;
        newer_list_waits(network: &str, gone: usize, before: usize);
        see_newer_list;
        titled(title: &str, text: &str);
        two_sentences(first: &str, second: &str);
        size_empty;
        size_bytes(count: u64);
        size_kilo(number: &str);
        size_mega(number: &str);
        size_giga(number: &str);
        exact_size(number: u64);
        size_sent(size: &str, sent: &str);
        sent_as(sent: &str);
        date(day: &str, month: &str, year: &str);
        day_and_time(day: &str, hour: &str, minute: &str);
        month_1;
        month_2;
        month_3;
        month_4;
        month_5;
        month_6;
        month_7;
        month_8;
        month_9;
        month_10;
        month_11;
        month_12;
        in_minutes(count: u64);
        in_hours(count: u64);
        in_days(count: u64);
        minutes_ago(count: u64);
        hours_ago(count: u64);
        days_ago(count: u64);

        // Managing a shared file
        managed_deleted;
        managed_gone_already;
        managed_deleted_but(parts: u32);
        downloads_of(told: u32, allowed: u32);
        downloads_told(told: u32);
        downloads_not_counted;

        // Who saw what
        role_guard;
        role_middle;
        role_last;
        role_server;
        asked_delete;
        asked_download;
        asked_extend;
        asked_file_info;
        asked_receipt;
        asked_relay_list;
        asked_server_info;
        asked_status;
        asked_upload;
        asked_again(what: &str, number: usize);
        answered;
        answered_with(code: u16);
        no_answer(why: &str);
        note_direct;
        note_same_bytes_back;
        relaxed_guard_is_last;
        relaxed_guard_is_middle;
        relaxed_guard_is_new;
        relaxed_guard_returned;
        relaxed_guard_stood_elsewhere;
        relaxed_kept_back;
        relaxed_same_network;
        relaxed_same_operator;
        relaxed_set_aside;
        fact_client_address;
        fact_content;
        fact_file_id;
        fact_next(name: &str);
        fact_before(name: &str);
        fact_server(name: &str);
        fact_up(bytes: &str);
        fact_back(bytes: &str);
        fact_when(time: &str);

        // Errors: pointers and what they describe
        why_newer_words;
        an_archive;
        a_document;
        a_medium;
        a_picture;
        a_program;
        a_script;
        a_text;
        a_web_page;
        a_java_program;
        a_linux_program;
        a_mac_program;
        a_shortcut;
        a_windows_program;

        // Errors: on the way. `tried` stands inside sentences as { $tried }.
        tried(count: u32);
        rejected_not_serving(count: usize);
        rejected_on_this_path(count: usize);
        rejected_is_guard(count: usize);
        rejected_dropped(count: usize);
        rejected_kept_back(count: usize);
        rejected_not_a_guard(count: usize);
        rejected_same_network(count: usize);
        rejected_same_operator(count: usize);
        rejected_set_aside(count: usize);
        rejected_stood_elsewhere(count: usize);
        rejected_too_many_new(count: usize);
        rejected_too_new(count: usize);
        rejected_failed(count: usize);

        // Errors: the reason under another error, each a whole sentence
        why_built_in_busy;
        why_built_in_no_locks;
        why_built_in_folder;
        why_settings_invalid(reason: &str);
        why_settings_line_invalid(line: usize, reason: &str);
        why_settings_misplaced(line: usize, key: &str);
        why_settings_misspelled(line: usize, key: &str, meant: &str);
        why_settings_newer;
        why_no_home;
        why_settings_unreadable;
        why_settings_unwritable;
        why_record_damaged;
        why_record_newer;
        why_record_unreadable;
        why_record_unwritable;
        why_relays_damaged;
        why_relays_newer;
        why_relays_unreadable;
        why_fetch_broken;
        why_fetch_cancelled;
        why_fetch_redirected;
        why_fetch_status(status: u16);
        why_fetch_timed_out;
        why_fetch_too_large;
        why_fetch_unreachable;
        why_nodes_malformed;
        why_nodes_too_few(count: usize);
        why_list_backwards;
        why_list_duplicate;
        why_list_entry(index: usize, what: &str);
        why_list_expired;
        why_list_malformed(what: &str);
        why_list_newer;
        why_list_not_yet;
        why_list_older;
        why_list_same_date;
        why_list_too_few(count: usize);
        why_list_too_large;
        why_list_too_long;
        why_list_unsigned;
        why_list_wrongly_signed;
        why_proxy_behind;
        why_proxy_host;
        why_proxy_login;
        why_proxy_port;
        why_proxy_scheme;
        why_save_altered;
        why_save_create;
        why_save_folder;
        why_save_names;
        why_save_no_room(needed: &str, free: &str);
        why_save_no_regular_file;
        why_save_rename;
        why_save_too_long(size: &str);
        why_save_write;
        why_url_host;
        why_url_id;
        why_url_key;
        why_url_no_file;
        why_url_no_list_key;
        why_url_no_server_key;
        why_url_none;
        why_url_not_canonical;
        why_url_path;
        why_url_scheme;
        why_url_user;
        why_line_too_long;
        next_newer;
        next_settings_invalid;
        next_record_damaged;
        next_not_found;
        next_permission_denied;
        next_storage_full;
        next_read_only;
        next_too_many_files;
        next_other;
        io_already_exists;
        io_not_a_folder;
        io_not_found;
        io_other(detail: &str);
        io_permission_denied;
        io_read_only;
        io_storage_full;

        // Who saw what: a proxy, and whoever gives relay lists
        role_proxy;
        role_list_host;
        role_seed;
        asked_list_host;
        asked_session_nodes;
        no_list_came;
        proxy_not_usable;
        note_direct_by_proxy;
        note_straight;
        fact_host(name: &str);
        fact_proxy_address;
        fact_relay_list;
        fact_transfer;

        // Who saw what: all tries together
        all_tries(count: usize);
        in_tries(count: usize);
        links_both;
        links_address;
        links_address_and_list;
        links_list;
        links_neither;
        links_server;

        // Settings, options and rows besides
        duration_days(count: u64);
        duration_hours(count: u64);

        // The chrome, Settings and sheets: places, states, what cannot be dropped
        list_host_sees;
        list_host_sees_proxy;
        named_list_host_sees(host: &str);
        named_list_host_sees_proxy(host: &str);
        seed_sees;
        seed_sees_proxy;
        other_seed_sees(hosts: &str);
        other_seed_sees_proxy(hosts: &str);
        list_over_http;

        // Rows: speed, headings, and what is said as they begin and stop
        hours_left(count: u64);
        minutes_left(count: u64);
        seconds_left(count: u64);
        speed(size: &str);
    }
    messages {
        // Errors: the person's own files and settings
        was_cancelled;
        built_in_busy(why: &str);
        built_in_no_locks(why: &str);
        built_in_fails(why: &str);
        folder_of_another(folder: &str);
        folder_open_to_others(folder: &str);
        settings_not_kept(why: &str, next: &str);
        no_home;
        settings_not_read(why: &str, file: &str, next: &str);
        relay_memory_not_read(why: &str, file: &str);
        built_in_key_fails(why: &str);
        own_record_fails(why: &str, next: &str);
        not_owner;
        file_changed;
        file_is_none;
        file_not_read(why: &str, next: &str);
        file_of_wrong_size(said: u64, read: u64);
        file_too_large(length: u64, limit: u64);
        names_too_long;
        nothing_to_share;
        one_of_several(path: &str, why: &str, next: &str);
        too_many_entries(limit: u64);
        no_place(why: &str);
        not_saved(why: &str);

        // Errors: pointers and what they describe
        pointer_changed;
        pointer_cut_off(missing: usize);
        pointer_newer;
        pointer_not_found;
        pointer_text_too_long;
        pointer_invalid;
        foreign_built_in;
        needs_newer(why: &str);
        other_digest;
        other_description;
        other_key;
        newer_seal;
        broken_seal;
        other_folder;
        other_parts;
        broken_part;
        no_such_entry(path: &str);
        unfinished_damaged;
        unfinished_newer;
        unfinished_other_key;
        unfinished_unknown;
        unfinished_under_way;
        unfinished_not_read(why: &str, next: &str);
        unfinished_not_written(why: &str, next: &str);
        misleading_name(name: &str, content: &str);

        // Errors: addresses, proxies and relay lists
        no_server_address(why: &str);
        no_proxy_address(why: &str);
        no_relay_line(why: &str);
        proxy_no_socks(proxy: &str);
        proxy_refused(proxy: &str);
        proxy_unreachable(proxy: &str);
        no_relays;
        relays_offered(host: &str);
        relay_file_fails(why: &str, next: &str);
        relay_list_refused(why: &str);
        newer_relay_list_refused(why: &str);
        relay_list_ended;
        relay_list_not_fetched(host: &str, why: &str);
        relay_list_not_here;
        many_relays_gone(gone: usize, before: usize);
        relay_lists_not_read(why: &str, file: &str);
        relay_list_not_stored(why: &str, next: &str);
        service_node_file_wrong(why: &str);
        seeds_fail(why: &str);

        // Errors: invitations and networks
        invitation_changed;
        invitation_cut_off(missing: usize);
        invitation_expired;
        invitation_invalid;
        invitation_malformed;
        invitation_newer;
        invitation_not_found;
        invitation_text_too_long;
        invite_list_ended;
        invite_none_serves;
        invite_not_made;
        invite_too_few(relays: usize);
        invite_without_path;
        join_for_relays;
        join_other_relays(name: &str);
        join_private_relays;
        join_without_path(why: &str);
        join_wrong_access_word;
        no_invitation;

        // Errors: what the server says
        access_word_wanted;
        access_word_wrong;
        server_asks_differently;
        server_full;
        server_too_full(needed: &str, free: &str);
        server_without_owners;
        file_not_extendable;
        server_without_receipts;
        file_not_there;
        server_nonsense;
        server_busy(code: u16);
        server_refused(code: u16);
        file_still_there;
        too_large_for_server;
        too_large_for_server_of(limit: u64);
        time_refused(hours: u64);
        time_maybe_refused(time: &str);
        unknown_work;
        work_refused;

        // Errors: on the way. `tried` stands inside sentences as { $tried }.
        network_blocks;
        connection_broke(tried: &str);
        request_not_built;
        direct_unreachable(tried: &str);
        direct_foreign_answer(tried: &str);
        first_unreachable(tried: &str);
        answer_malformed;
        answer_plain(status: u16, tried: &str);
        relay_failed(status: u16, tried: &str);
        relay_unreachable(tried: &str);
        server_plain(status: u16, tried: &str);
        server_not_served;
        server_unreachable(tried: &str);
        server_wrong_key;
        answer_tampered(tried: &str);
        timed_out(tried: &str);
        no_path_guard(reasons: &str);
        no_path_middle(reasons: &str);
        no_path_last(reasons: &str);
    }
}
