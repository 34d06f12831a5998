"""The public evaluation of credit (公共信用综合评价): points by declared indicators, without learning."""
