"""The thesis audited, as tables and sentences, from what `recovery.audit` finds."""
from experiments.datasets.mammogram import CLASSES
from experiments.evaluation.recovery import Audit, AuditedTable, Recomputed
from experiments.reporting.tables import METRICS, Row, Table, number

COLUMNS = tuple(name.capitalize() for name in (*CLASSES, "mean"))


def audit_tables(found: Audit) -> list[Table]:
    """Errata 14 to 16; the counts and how many fit; plain three-class accuracies; every printed table recomputed."""
    return [errata_table(found), counts_table(found), three_class_table(found),
            *(entries_table(name, table) for name, table in found.tables.items())]


def audit_sentences(found: Audit) -> list[str]:
    """What was found, counted from the findings themselves."""
    counts = [one for table in found.tables.values() for one in table.counts.values()]
    entries = {row: [entry for table in found.tables.values() for entry in table.entries[row].values()]
               for row in ("accuracy", "precision", "recall", "specificity")}
    right = {row: sum(map(_agrees, listed)) for row, listed in entries.items()}
    others = [row for row in entries if row != "specificity"]
    as_printed = sum(round(table.as_printed[name], 4) == entry.printed for table in found.tables.values()
                     for name, entry in table.entries["specificity"].items())
    test = {table.classifier: table for table in found.tables.values() if table.split == "test"}
    unique = sum(one.solutions == 1 for one in counts)
    consistent = sum(table.answers == table.images for table in found.tables.values())
    return [
        f"Behind {unique} of the {len(counts)} columns of Tables {', '.join(found.tables)} stands exactly one "
        "choice of TP, FP, TN and FN: all whole numbers were tried against the four printed decimals of accuracy, "
        f"precision, recall and “Specificy”. In {consistent} of {len(found.tables)} tables the answers of the three "
        "classes (TP + FP) add up to the images, as they must.",
        f"Recomputed from these counts, {sum(right[row] for row in others)} of "
        f"{sum(len(entries[row]) for row in others)} entries of accuracy, precision and recall are as printed.",
        f"Of {len(entries['specificity'])} entries “Specificy” {as_printed} equal TN/(TN+TP), and "
        f"{right['specificity']} the specificity TN/(TN+FP) that (3.44) defines. Read as (3.44), the printed figures "
        f"fit {sum(one.solutions_by_3_44 for one in counts)} counts at all.",
        "The share of test images whose class is right, which the thesis does not print, is "
        + " and ".join(f"{100 * table.right / table.images:.2f} % for the {name} ({table.right} of "
                       f"{table.images})" for name, table in test.items())
        + ": a mean one-vs-all accuracy also counts the two classes that an image was rightly said not to be.",
    ]


def audit_notes(found: Audit) -> list[str]:
    """What follows for the thesis's own text."""
    recomputed = {name: {column: entry.recomputed for column, entry in table.entries["specificity"].items()}
                  for name, table in found.tables.items()}
    best = [max(CLASSES, key=recomputed[name].__getitem__) for name in ("4.2", "4.3")]
    total = sum(entry.printed for entry in found.footnote_5.values())
    return [
        "Tables 4.2 and 4.3 of the thesis are of the end-to-end classifier, 4.6 and 4.7 of the decomposition; 4.2 and "
        "4.6 of the test set, 4.3 and 4.7 of the training set. Numbers of images are those of its section 4.1.",
        "Section 4.2 of the thesis finds the specificity best for the benign class on both sets. By (3.44) it is best "
        f"for {best[0]} on the test set ({number(recomputed['4.2'][best[0]])}; benign "
        f"{number(recomputed['4.2']['benign'])}) and for {best[1]} on the training set.",
        "Its discussion of the decomposition says that about 92 % of the images without cancer were recognised as "
        f"such. By (3.44) it is {100 * recomputed['4.6']['cancer']:.1f} % of the test set and "
        f"{100 * recomputed['4.7']['cancer']:.1f} % of the training set.",
        "Footnote 5: by its formula the three accuracies add up to 5/3 = 1.667 whatever the numbers of images; the "
        f"printed ones add up to {total:.3f}, so no distribution of the classes gives them.",
    ]


def errata_table(found: Audit) -> Table:
    """Errata 14 (Specificy), 15 (the abstract) and 16 (footnote 5): printed, recomputed, explanation."""
    rows = []
    for number_of_table, table in found.tables.items():
        for name, one in table.counts.items():
            entry = table.entries["specificity"][name]
            rows.append(Row(f"14. Table {number_of_table}, {name}, “Specificy”", (
                number(entry.printed), number(entry.recomputed),
                f"printed: TN/(TN+TP) = {one.tn}/{one.tn + one.tp}; "
                f"(3.44): TN/(TN+FP) = {one.tn}/{one.tn + one.fp}")))
    rows += [Row(f"15. Abstract, {classifier}", (_percent(entry.printed), _percent(entry.recomputed),
                                                 _abstract(found, classifier, entry.printed)))
             for classifier, entry in found.abstract.items()]
    rows += [Row(f"16. Footnote 5, guessing, {name}", (
        number(entry.printed, 3), number(entry.recomputed, 3),
        f"its formula p/3 + (1 - p) 2/3 with p = {entry.images}/{entry.all_images}"))
        for name, entry in found.footnote_5.items()]
    return Table("Errata of the printed figures", ("Printed", "Recomputed", "Explanation"), tuple(rows))


def counts_table(found: Audit) -> Table:
    """TP, FP, TN, FN of every class, with the number of counts that fit the printed figures."""
    rows = [Row(f"Table {number_of_table}, {name}", tuple(map(str, (
        one.tp, one.fp, one.tn, one.fn, one.solutions, one.solutions_by_3_44))))
        for number_of_table, table in found.tables.items() for name, one in table.counts.items()]
    return Table("Counts recovered from the printed figures",
                 ("TP", "FP", "TN", "FN", "Counts that fit", "Fit if “Specificy” were (3.44)"), tuple(rows))


def three_class_table(found: Audit) -> Table:
    """The share of images whose class is right."""
    shares: dict[str, dict[str, str]] = {}
    for table in found.tables.values():
        shares.setdefault(table.classifier, {})[table.split] = (
            f"{table.right} of {table.images} = {100 * table.right / table.images:.2f} %")
    return Table("Plain three-class accuracy, from the counts", ("Test set", "Training set"),
                 tuple(Row(name.capitalize(), (of["test"], of["train"])) for name, of in shares.items()))


def entries_table(name: str, table: AuditedTable) -> Table:
    """Every entry of a printed table recomputed, and the printed one below it."""
    rows = []
    for row, entries in table.entries.items():
        rows.append(Row(METRICS[row], tuple(number(entry.recomputed) for entry in entries.values())))
        rows.append(Row("printed", tuple(number(entry.printed) for entry in entries.values()), comparison=True))
        if row == "specificity":
            rows.append(Row("TN/(TN+TP)", tuple(map(number, table.as_printed.values())), comparison=True))
    split = {"test": "test set", "train": "training set"}[table.split]
    return Table(f"Table {name} recomputed: {table.classifier}, {split}", COLUMNS, tuple(rows))


def _agrees(entry: Recomputed) -> bool:
    return round(entry.recomputed, 4) == entry.printed


def _abstract(found: Audit, classifier: str, printed: float) -> str:
    """Which table's mean accuracy the abstract's figure is."""
    name, table = next((name, table) for name, table in found.tables.items() if table.classifier == classifier
                       and table.entries["accuracy"]["mean"].printed == printed)
    return f"mean accuracy on the {'test set' if table.split == 'test' else 'training set'} (Table {name})"


def _percent(value: float) -> str:
    return f"{100 * value:.2f} %"
