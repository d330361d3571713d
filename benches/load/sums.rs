//! What is in a table, in ten numbers.

use crate::orders::Order;

/// Sums over a table's rows. Equal sums: the rows are the ones that were written.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) rows: i128,
    ids: i128,
    customers: i128,
    cents: i128,
    /// Each amount with its key, so that amounts in the wrong rows show.
    cents_by_id: i128,
    qty: i128,
    words: i128,
    notes: i128,
    created: i128,
    updated: i128,
}

impl Sums {
    /// The same sums in SQL, as one line.
    pub(crate) const SQL: &'static str = "count(*), sum(order_id), sum(customer_id), sum(amount * 100)::bigint, \
        sum(order_id % 1009 * amount * 100)::bigint, sum(qty), \
        sum(octet_length(status) + octet_length(currency) + octet_length(email)), sum(octet_length(note)), \
        sum(extract(epoch from created_at))::bigint, sum(extract(epoch from updated_at))::bigint";

    /// Those of orders 1 to `rows`.
    pub(crate) fn of_orders(rows: u64) -> Self {
        let mut sums = Sums::default();
        (1..=rows).for_each(|id| sums.add(&Order::new(id)));
        sums
    }

    pub(crate) fn add(&mut self, order: &Order) {
        let cents = i128::from(order.cents);
        self.rows += 1;
        self.ids += i128::from(order.id);
        self.customers += i128::from(order.customer);
        self.cents += cents;
        self.cents_by_id += i128::from(order.id % 1009) * cents;
        self.qty += i128::from(order.qty);
        self.words += (order.status.len() + order.currency.len() + order.email.len()) as i128;
        self.notes += order.note.len() as i128;
        self.created += i128::from(order.created);
        self.updated += i128::from(order.updated);
    }

    /// As psql prints them.
    pub(crate) fn line(&self) -> String {
        [
            self.rows,
            self.ids,
            self.customers,
            self.cents,
            self.cents_by_id,
            self.qty,
            self.words,
            self.notes,
            self.created,
            self.updated,
        ]
        .map(|sum| sum.to_string())
        .join("|")
    }
}
