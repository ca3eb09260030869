using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Shop.Migrations
{
    /// <inheritdoc />
    public partial class OperatorsView : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<DateTime>(
                name: "drained_at",
                table: "instances",
                type: "datetime(6)",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "kind_slots",
                table: "instances",
                type: "longtext",
                nullable: true,
                collation: "utf8mb4_bin")
                .Annotation("MySql:CharSet", "utf8mb4");

            migrationBuilder.AddColumn<string>(
                name: "submitted_by",
                table: "heavy_tasks",
                type: "varchar(200)",
                maxLength: 200,
                nullable: true,
                collation: "utf8mb4_bin")
                .Annotation("MySql:CharSet", "utf8mb4");

            migrationBuilder.AddColumn<string>(
                name: "trace_id",
                table: "heavy_tasks",
                type: "varchar(32)",
                maxLength: 32,
                nullable: true,
                collation: "utf8mb4_bin")
                .Annotation("MySql:CharSet", "utf8mb4");

            migrationBuilder.AddColumn<int>(
                name: "slots",
                table: "heavy_task_kinds",
                type: "int",
                nullable: true);

            migrationBuilder.CreateTable(
                name: "heavy_task_log_lines",
                columns: table => new
                {
                    task_id = table.Column<Guid>(type: "binary(16)", nullable: false),
                    attempt = table.Column<int>(type: "int", nullable: false),
                    number = table.Column<int>(type: "int", nullable: false),
                    at = table.Column<DateTime>(type: "datetime(6)", nullable: false),
                    level = table.Column<string>(type: "varchar(11)", maxLength: 11, nullable: false, collation: "utf8mb4_bin")
                        .Annotation("MySql:CharSet", "utf8mb4"),
                    text = table.Column<string>(type: "varchar(1000)", maxLength: 1000, nullable: false, collation: "utf8mb4_bin")
                        .Annotation("MySql:CharSet", "utf8mb4")
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_heavy_task_log_lines", x => new { x.task_id, x.attempt, x.number });
                })
                .Annotation("MySql:CharSet", "utf8mb4")
                .Annotation("Relational:Collation", "utf8mb4_bin");

            migrationBuilder.CreateTable(
                name: "heavy_task_tags",
                columns: table => new
                {
                    task_id = table.Column<Guid>(type: "binary(16)", nullable: false),
                    tag = table.Column<string>(type: "varchar(64)", maxLength: 64, nullable: false, collation: "utf8mb4_bin")
                        .Annotation("MySql:CharSet", "utf8mb4"),
                    tenant_tag = table.Column<string>(type: "varchar(129)", maxLength: 129, nullable: true, collation: "utf8mb4_bin")
                        .Annotation("MySql:CharSet", "utf8mb4")
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_heavy_task_tags", x => new { x.task_id, x.tag });
                })
                .Annotation("MySql:CharSet", "utf8mb4")
                .Annotation("Relational:Collation", "utf8mb4_bin");

            migrationBuilder.CreateIndex(
                name: "ix_heavy_task_log_lines_at",
                table: "heavy_task_log_lines",
                column: "at");

            migrationBuilder.CreateIndex(
                name: "ix_heavy_task_tags_tag_task_id",
                table: "heavy_task_tags",
                columns: new[] { "tag", "task_id" });

            migrationBuilder.CreateIndex(
                name: "ix_heavy_task_tags_tenant_tag_task_id",
                table: "heavy_task_tags",
                columns: new[] { "tenant_tag", "task_id" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "heavy_task_log_lines");

            migrationBuilder.DropTable(
                name: "heavy_task_tags");

            migrationBuilder.DropColumn(
                name: "drained_at",
                table: "instances");

            migrationBuilder.DropColumn(
                name: "kind_slots",
                table: "instances");

            migrationBuilder.DropColumn(
                name: "submitted_by",
                table: "heavy_tasks");

            migrationBuilder.DropColumn(
                name: "trace_id",
                table: "heavy_tasks");

            migrationBuilder.DropColumn(
                name: "slots",
                table: "heavy_task_kinds");
        }
    }
}
