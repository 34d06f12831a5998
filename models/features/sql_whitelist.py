"""The syntax and functions that feature SQL may use, by name. Whatever is not listed is refused.

Names are those of sqlglot's expression classes (a DuckDB function is one of them, however it was written); the check
itself is in :mod:`models.features.feature_sql`.
"""

from __future__ import annotations

from credit.messages import Text


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


GRAMMAR = _words(
    "Select From Join Where Group Having Distinct With CTE Subquery Table TableAlias Alias Column Identifier Qualify "
    "Literal Boolean Null Paren Star DataType Interval Var Filter Window Order Ordered WindowSpec"
)
OPERATORS = _words(
    "And Or Not EQ NEQ GT GTE LT LTE Is In Between NullSafeEQ NullSafeNEQ Add Sub Mul Div IntDiv Mod Neg "
    "Case If Coalesce Nullif Cast TryCast DPipe Like"
)
AGGREGATES = _words(
    "Count CountIf Sum Avg Min Max Stddev StddevSamp StddevPop Variance VariancePop Median LogicalOr LogicalAnd "
    "ArgMax ArgMin RegrSlope"
)
WINDOW_ONLY = _words("RowNumber Rank DenseRank Lag Lead FirstValue LastValue")
FUNCTIONS = _words(
    "DateTrunc TimestampTrunc DateDiff DateAdd DateSub Extract Year Month Day Quarter Abs Ln Log Exp Sqrt Pow Round "
    "Floor Ceil Sign Greatest Least Lower Upper Trim Length StartsWith Substring"
)
CONDITION = OPERATORS | FUNCTIONS | _words("Column Identifier Literal Boolean Null Paren DataType Interval Var")
TYPES = _words("BOOLEAN TINYINT SMALLINT INT BIGINT DOUBLE FLOAT DECIMAL DATE VARCHAR TEXT")
FORBIDDEN = {  # syntax that people try -> why it is refused
    "Star": Text.of("feature-sql.star"),
    "Union": Text.of("feature-sql.set-operations"),
    "Intersect": Text.of("feature-sql.set-operations"),
    "Except": Text.of("feature-sql.set-operations"),
    "Limit": Text.of("feature-sql.limit"),
    "Offset": Text.of("feature-sql.offset"),
    "Exists": Text.of("feature-sql.subquery"),
    "Lateral": Text.of("feature-sql.lateral"),
    "Unnest": Text.of("feature-sql.table-functions"),
    "Values": Text.of("feature-sql.values"),
    "TableSample": Text.of("feature-sql.sampling"),
    "Rand": Text.of("feature-sql.chance"),
    "Randn": Text.of("feature-sql.chance"),
    "Uuid": Text.of("feature-sql.chance"),
    "CurrentDate": Text.of("feature-sql.clock"),
    "CurrentTimestamp": Text.of("feature-sql.clock"),
    "CurrentTime": Text.of("feature-sql.clock"),
    "Localtimestamp": Text.of("feature-sql.clock"),
    "Localtime": Text.of("feature-sql.clock"),
    "ReadCSV": Text.of("feature-sql.files"),
    "ReadParquet": Text.of("feature-sql.files"),
    "Placeholder": Text.of("feature-sql.parameters"),
    "Parameter": Text.of("feature-sql.parameters"),
    "Columns": Text.of("feature-sql.columns"),
    "PercentileCont": Text.of("feature-sql.median"),
    "Quantile": Text.of("feature-sql.median"),
}
FUNCTION_NAMES = _words(  # for the hint when a function is not known
    "count sum avg min max stddev median bool_or bool_and arg_max arg_min regr_slope date_trunc date_diff year month "
    "day quarter abs ln log exp sqrt pow round floor ceil sign greatest least lower upper trim length starts_with "
    "substring coalesce nullif row_number rank lag lead count_if"
)
